/** A worker of `keyturn serve --workers`: serves what the first process tells it to, for as long as that lives. */
import cluster from 'node:cluster';
import { parseConfig } from '../../server/config.ts';
import type { Logger } from '../../server/logging.ts';
import { type RunningWorker, startWorker } from '../../server/main.ts';
import { createMetrics, type Metrics } from '../../server/metrics.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { failureOf } from '../failure-of.ts';
import type { Output } from '../output.ts';
import { explainListenError } from './listen-failure.ts';
import { createPendingAnswers } from './pending-answers.ts';
import { createServeLogger } from './serve-logger.ts';
import { type FromWorker, type Leaving, type ToWorker, WORKER_VARIABLE } from './worker-messages.ts';

/** More than the first process waits for the workers. */
const ALL_METRICS_LIMIT_MS = 3_000;
const FAREWELL_LIMIT_MS = 1_000;

/** Resolves when it has been handed over, or can't be. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

/** A terminal's Ctrl-C, and systemd, reach all processes of a service; the first one decides when a worker ends. */
function ignoreSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
}

type Handlers = { readonly [Kind in ToWorker['kind']]: (message: Extract<ToWorker, { kind: Kind }>) => unknown };

function onMessage(handlers: Handlers): void {
  process.on('message', (message: ToWorker) => handlers[message.kind]?.(message as never));
}

/** Asks the first process for the metrics of all, and makes do with its own. */
function createSharedMetrics(number: number) {
  const answers = createPendingAnswers<string>(ALL_METRICS_LIMIT_MS);
  const metrics: Metrics = createMetrics({
    worker: number,
    async exposition() {
      const ofAll = await answers.ask((request) => void tell({ kind: 'all-metrics-wanted', request }));
      return ofAll ?? metrics.own();
    },
  });
  return { metrics, answers };
}

/**
 * Messages come in the order in which they were sent. When the first process answers, it has heard that this one takes no
 * more connections, and those on their way here have come and gone back.
 */
function createFarewell() {
  const answers = createPendingAnswers<true>(FAREWELL_LIMIT_MS);
  return {
    say: () => answers.ask((request) => void tell({ kind: 'farewell', request })),
    answered: (request: number) => answers.answer(request, true),
  };
}

/** Once: whoever is leaving already goes on with that. */
function createLeaving(
  worker: RunningWorker,
  { logger, sayFarewell }: { readonly logger: Logger; readonly sayFarewell: () => Promise<unknown> },
): (how: Leaving) => Promise<void> {
  let isLeaving = false;
  return async (how) => {
    if (isLeaving) return;
    isLeaving = true;
    try {
      await worker[how]();
      if (process.connected) await sayFarewell();
    } catch (error) {
      logger.error({ err: error }, 'did not stop cleanly');
      process.exit(EXIT_CODES.failed);
    }
    process.exit(EXIT_CODES.ok);
  };
}

/** node would end the worker with the first process, requests in flight and all. */
function outliveFirstProcess(leave: (how: Leaving) => Promise<void>, logger: Logger): void {
  cluster.worker?.on('disconnect', () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    logger.warn('the first process has gone: draining');
    void leave('stop');
  });
}

async function start(number: number, output: Output): Promise<void> {
  const config = parseConfig(process.env);
  const logger = createServeLogger(config, output, { worker: number, pid: process.pid });
  const { metrics, answers } = createSharedMetrics(number);
  const worker = await startWorker(config, logger, metrics).catch((error) => {
    throw explainListenError(error, config);
  });
  const farewell = createFarewell();
  const leave = createLeaving(worker, { logger, sayFarewell: farewell.say });
  outliveFirstProcess(leave, logger);
  onMessage({
    leave: ({ how }) => void leave(how),
    farewell: ({ request }) => farewell.answered(request),
    'all-metrics': ({ request, text }) => answers.answer(request, text),
    'report-metrics': async ({ request }) => tell({ kind: 'metrics', request, text: await metrics.own() }),
  });
  await tell({ kind: 'listening', port: worker.port });
}

/** Null in any other process. */
export function workerNumber(): number | null {
  const text = process.env[WORKER_VARIABLE];
  return cluster.isWorker && text !== undefined ? Number(text) : null;
}

/** Tells the first process that it serves, or why it can't; that one speaks to whoever started the service. */
export async function serveAsWorker(number: number, output: Output): Promise<void> {
  ignoreSignals();
  // As keyturn.mjs does, which workers don't pass through.
  process.setSourceMapsEnabled(true);
  try {
    await start(number, output);
  } catch (error) {
    const { exitCode, code, message, members, stack } = failureOf(error);
    await tell({ kind: 'failed', failure: { exitCode, code, message, members, stack } });
    process.exit(exitCode);
  }
}
