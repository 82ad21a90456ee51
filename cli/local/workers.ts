/** The workers of `keyturn serve --workers`: as many as were asked for, whatever happens to one of them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../server/logging.ts';
import { mergeExpositions } from '../../server/merge-expositions.ts';
import { createWorkerMetrics } from '../../server/metrics.ts';
import { failureOf } from '../failure-of.ts';
import { restartPauseMs, STEADY_MS } from './restart-pause.ts';
import { startWorkerProcess, type WorkerEnd, type WorkerProcess } from './worker-process.ts';

/** Has one worker, and another while that takes over. */
interface Place {
  /** From 1. */
  readonly number: number;
  /** Null: it ended by itself, and a new one is on its way. */
  serving: WorkerProcess | null;
  isRestarting: boolean;
  /** Workers in a row that did not serve for long. */
  quickEnds: number;
}

const hasStarted = (worker: WorkerProcess): boolean => worker.servingMs() !== null;

export class Workers {
  /** Rejects when none serves any more and one that was to follow could not start. */
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};
  readonly #logger: Logger;
  readonly #places: readonly Place[];
  /** Those that start or leave too, the oldest first. */
  readonly #alive = new Set<WorkerProcess>();
  readonly #stopping = new AbortController();
  readonly #metrics = createWorkerMetrics(() => this.#places.filter(({ serving }) => serving !== null).length);
  #collecting: Promise<string> | null = null;
  #isRestarting = false;
  #isRestartWanted = false;

  constructor(count: number, logger: Logger) {
    this.#logger = logger;
    this.#places = Array.from({ length: count }, (_, index) => {
      return { number: index + 1, serving: null, isRestarting: false, quickEnds: 0 };
    });
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /**
   * Resolves to the port once all listen.
   *
   * @throws {CommandFailure} of the first that could not start
   */
  async start(): Promise<number> {
    const ports = await Promise.all(
      this.#places.map(async (place) => {
        const worker = this.#launch(place);
        const port = await worker.started;
        this.#take(place, worker);
        return port;
      }),
    );
    return ports[0] as number;
  }

  /**
   * Replaces one after the other, each when its successor listens. Ends with the first successor that can't start; the
   * workers not yet replaced go on.
   */
  async restart(): Promise<void> {
    // Asked for in the middle of a restart it begins anew: every worker is to be younger than the wish.
    this.#isRestartWanted = true;
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    while (this.#isRestartWanted && !this.#isStopping) {
      this.#isRestartWanted = false;
      this.#logger.info('restarting the workers, one after the other');
      let isGood = true;
      for (const place of this.#places) isGood &&= !this.#isStopping && (await this.#restartPlace(place));
      if (isGood) this.#logger.info('restarted the workers');
    }
    this.#isRestarting = false;
  }

  /** Resolves when all have finished what they had begun, and ended. Throws when one did not do so cleanly. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // One that still starts has nothing to finish.
    for (const worker of this.#alive) if (!hasStarted(worker)) worker.kill();
    const ends = await Promise.all([...this.#alive].filter(hasStarted).map((worker) => worker.leave('stop')));
    if (ends.includes(false)) throw new Error('a worker did not end cleanly');
  }

  /** Resolves when all are dead. */
  async kill(): Promise<void> {
    this.#stopping.abort();
    for (const worker of this.#alive) worker.kill();
    await Promise.all([...this.#alive].map(({ ended }) => ended));
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #launch({ number }: Place): WorkerProcess {
    const worker = startWorkerProcess({ number, allMetrics: () => this.#allMetrics() });
    this.#alive.add(worker);
    void worker.ended.then(() => this.#alive.delete(worker));
    return worker;
  }

  #take(place: Place, worker: WorkerProcess): void {
    place.serving = worker;
    this.#logger.info({ worker: worker.number, pid: worker.pid }, 'worker serves');
    void worker.ended.then((end) => {
      if (place.serving === worker && !this.#isStopping) this.#replaceCrashed(place, worker, end);
    });
  }

  #replaceCrashed(place: Place, { pid, servingMs }: WorkerProcess, { exitCode, signal }: WorkerEnd): void {
    place.serving = null;
    this.#metrics.crashed();
    this.#logger.error({ worker: place.number, pid, exit_code: exitCode, signal }, 'worker ended by itself');
    if ((servingMs() ?? 0) >= STEADY_MS) place.quickEnds = 0;
    if (!place.isRestarting) void this.#refill(place);
  }

  async #refill(place: Place): Promise<void> {
    while (place.serving === null) {
      const pauseMs = restartPauseMs(place.quickEnds);
      await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#isStopping) return;
      place.quickEnds += 1;
      try {
        const worker = this.#launch(place);
        await worker.started;
        this.#take(place, worker);
      } catch (error) {
        if (this.#isStopping) return;
        this.#logger.error({ worker: place.number, reason: failureOf(error).message }, 'worker not replaced yet');
        if (this.#alive.size === 0) this.#fail(error);
      }
    }
  }

  /** False when the successor could not start. */
  async #restartPlace(place: Place): Promise<boolean> {
    // What is on its way there is new.
    if (place.serving === null) return true;
    place.isRestarting = true;
    try {
      const successor = this.#launch(place);
      await successor.started;
      const old = place.serving;
      this.#take(place, successor);
      place.isRestarting = false;
      if (old !== null && !(await old.leave('retire')))
        this.#logger.warn({ worker: old.number, pid: old.pid }, 'worker did not end cleanly');
      return true;
    } catch (error) {
      place.isRestarting = false;
      if (this.#isStopping) return false;
      this.#logger.error({ worker: place.number, reason: failureOf(error).message }, 'restart given up');
      // It may have ended meanwhile.
      if (place.serving === null) void this.#refill(place);
      return false;
    }
  }

  /** One collection at a time, whoever asks: it takes all workers, and anybody may ask. */
  #allMetrics(): Promise<string> {
    this.#collecting ??= this.#collectMetrics().finally(() => {
      this.#collecting = null;
    });
    return this.#collecting;
  }

  async #collectMetrics(): Promise<string> {
    const workers = [...this.#alive].filter(hasStarted);
    const reports = await Promise.all(workers.map(async (worker) => ({ worker, text: await worker.metrics() })));
    const texts = new Map<number, string>();
    // Of two in one place the elder tells, to its end: a counter may begin anew, but not go back and forth.
    for (const { worker, text } of reports)
      if (text !== null && !texts.has(worker.number)) texts.set(worker.number, text);
    return mergeExpositions([await this.#metrics.own(), ...texts.values()]);
  }
}
