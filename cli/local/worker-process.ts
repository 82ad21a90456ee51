/** One worker as the first process sees it. */
import type { ChildProcess } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import type { Server } from 'node:net';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { createPendingAnswers } from './pending-answers.ts';
import { type FromWorker, type Leaving, type ToWorker, WORKER_VARIABLE } from './worker-messages.ts';

/** Another instance's migrations are waited for up to two minutes. */
const START_LIMIT_MS = 180_000;
/** Notice to load balancers, the requests in flight on each port, the stores. */
const LEAVE_LIMIT_MS = 30_000;
const METRICS_LIMIT_MS = 2_000;

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface WorkerProcess {
  /** From 1; that of the one it replaces. */
  readonly number: number;
  readonly pid: number | undefined;
  /** Resolves to the port once it listens; rejects with the CommandFailure that kept it from doing so. */
  readonly started: Promise<number>;
  readonly ended: Promise<WorkerEnd>;
  /** Milliseconds since it began to listen; null before. */
  servingMs(): number | null;
  /** Asks it to end, and sees to it that it does. Resolves to false when it did not end cleanly. */
  leave(how: Leaving): Promise<boolean>;
  /** In Prometheus' text format; null when there is no answer. */
  metrics(): Promise<string | null>;
  kill(): void;
}

export interface WorkerProcessOptions {
  readonly number: number;
  /** The metrics of all workers, for one that was asked for them. */
  readonly allMetrics: () => Promise<string>;
}

function watchEnd(worker: Worker): Promise<WorkerEnd> {
  return new Promise((resolve) => {
    worker.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    // A process that could not be made has no exit; other errors are of messages to one that has gone.
    worker.on('error', () => {
      if (worker.process.pid === undefined) resolve({ exitCode: null, signal: null });
    });
  });
}

/**
 * node hands a worker one connection at a time, and keeps it as well until the worker says that it has it. Of a worker
 * that is killed before, nobody closes what was kept, and the client waits for as long as its patience lasts.
 */
function closeConnectionOfKilled({ process: child }: Worker): void {
  const send: ChildProcess['send'] = child.send.bind(child);
  let handed: Partial<Server> | null = null;
  child.send = ((...args: Parameters<typeof send>) => {
    // In the place of a callback, where no connection is sent.
    if (typeof args[1] === 'object' && args[1] !== null) handed = args[1] as Partial<Server>;
    return send(...args);
  }) as typeof send;
  child.once('exit', (exitCode) => {
    // One that ended cleanly has taken or given back what it was handed, and what it gave back is another's now.
    if (exitCode !== 0) handed?.close?.();
  });
}

function failureOfEnd({ exitCode, signal }: WorkerEnd): CommandFailure {
  const how = signal ?? (exitCode === null ? 'no process could be made' : `exit code ${exitCode}`);
  return new CommandFailure(EXIT_CODES.failed, 'worker_ended', `a worker ended before it could serve (${how})`);
}

/** What a worker reported, thrown here as it would have been there. */
function rebuildFailure({ failure }: Extract<FromWorker, { kind: 'failed' }>): CommandFailure {
  const { exitCode, code, message, members, stack } = failure;
  const rebuilt = new CommandFailure(exitCode, code, message, members);
  if (stack !== undefined) rebuilt.stack = stack;
  return rebuilt;
}

export function startWorkerProcess({ number, allMetrics }: WorkerProcessOptions): WorkerProcess {
  const worker = cluster.fork({ [WORKER_VARIABLE]: String(number) });
  closeConnectionOfKilled(worker);
  const answers = createPendingAnswers<string>(METRICS_LIMIT_MS);
  let listensSinceMs: number | null = null;
  let failure: CommandFailure | null = null;
  const kill = () => void worker.process.kill('SIGKILL');
  // Whether it still lives is seen by its end, not by what sending says.
  const send = (message: ToWorker) => void (worker.isConnected() && worker.send(message, () => {}));
  const ended = watchEnd(worker);

  const started = new Promise<number>((resolve, reject) => {
    const limit = setTimeout(kill, START_LIMIT_MS);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'listening') {
        clearTimeout(limit);
        listensSinceMs = performance.now();
        resolve(message.port);
      } else if (message.kind === 'failed') failure = rebuildFailure(message);
      else if (message.kind === 'metrics') answers.answer(message.request, message.text);
      else if (message.kind === 'farewell') send(message);
      else if (message.kind === 'all-metrics-wanted')
        void allMetrics().then((text) => send({ kind: 'all-metrics', request: message.request, text }));
    });
    void ended.then((end) => {
      clearTimeout(limit);
      answers.giveUp();
      reject(failure ?? failureOfEnd(end));
    });
  });
  // Whoever waits for it hears of it all the same.
  started.catch(() => {});

  return {
    number,
    pid: worker.process.pid,
    started,
    ended,
    servingMs: () => (listensSinceMs === null ? null : performance.now() - listensSinceMs),
    async leave(how) {
      send({ kind: 'leave', how });
      const limit = setTimeout(kill, LEAVE_LIMIT_MS);
      const { exitCode } = await ended;
      clearTimeout(limit);
      return exitCode === 0;
    },
    metrics: () => answers.ask((request) => send({ kind: 'report-metrics', request })),
    kill,
  };
}
