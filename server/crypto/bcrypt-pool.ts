import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import {
  MAX_CHOSEN_SECRET_BYTES,
  type SecretHasher,
  SecretHasherBusy,
  SecretTooLong,
} from '../api-keys/secret-hasher.ts';

const WORKER_FILE = fileURLToPath(new URL('./bcrypt-worker.mjs', import.meta.url));
const CLOSE_TIMEOUT_MS = 2000;

export interface BcryptPoolOptions {
  /** Logarithm of the rounds. Default 12 (about 0.2 s of one core); 4 to 31. */
  readonly cost?: number;
  /** Threads. Default: one less than the cores, at least 1, at most 2, so that the event loop keeps a core. */
  readonly maxWorkers?: number;
  /** Secrets that may wait while every worker is busy. Default 64. */
  readonly maxQueued?: number;
  /** How long workers without work are kept, in milliseconds. Default 30 000. */
  readonly idleMs?: number;
}

type Pool = ReturnType<typeof workerpool.pool>;

/** Threads start with the first secret and end when there has been none for a while: most installations have none. */
export function createBcryptPool(options: BcryptPoolOptions = {}): SecretHasher {
  const { cost = 12, maxQueued = 64, idleMs = 30_000 } = options;
  const maxWorkers = options.maxWorkers ?? Math.max(1, Math.min(2, availableParallelism() - 1));
  const capacity = maxWorkers + maxQueued;
  let pool: Pool | null = null;
  let inFlight = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  let closed = false;

  // workerpool never ends an idle worker, and a pool that is being terminated strands what it is given meanwhile: so the
  // whole pool is let go, and the next secret starts another.
  async function endPool(): Promise<void> {
    const ending = pool;
    pool = null;
    clearTimeout(idleTimer);
    // The time-out is for a worker that has died by itself: workerpool would wait for its exit for ever.
    await ending?.terminate(false, CLOSE_TIMEOUT_MS).catch(() => undefined);
  }

  async function run(method: 'hash' | 'compare', secret: string, parameter: string | number): Promise<unknown> {
    if (closed) throw new Error('the bcrypt pool is closed');
    if (Buffer.byteLength(secret) > MAX_CHOSEN_SECRET_BYTES) throw new SecretTooLong();
    if (inFlight >= capacity) throw new SecretHasherBusy();
    pool ??= startPool(maxWorkers);
    clearTimeout(idleTimer);
    inFlight += 1;
    try {
      const answer = pool.exec(method, [secret, parameter]);
      keepProcessAlive(pool, true);
      return await answer;
    } finally {
      inFlight -= 1;
      if (inFlight === 0 && pool !== null) {
        keepProcessAlive(pool, false);
        idleTimer = setTimeout(() => void endPool(), idleMs).unref();
      }
    }
  }

  return {
    capacity,
    hash: async (secret, salt) => String(await run('hash', secret, salt ?? cost)),
    compare: async (secret, hash) => (await run('compare', secret, hash)) === true,
    close: async () => {
      closed = true;
      await endPool();
    },
  };
}

function startPool(maxWorkers: number): Pool {
  return workerpool.pool(WORKER_FILE, {
    workerType: 'thread',
    maxWorkers,
    // No copy of the environment (master key, database password) and none of the process's loaders in the threads.
    workerThreadOpts: { env: {}, execArgv: [] },
  });
}

/** Idle workers must not hold a process that is done, busy ones must: workerpool has no word for it, so its list is used. */
function keepProcessAlive(pool: Pool, alive: boolean): void {
  for (const { worker } of pool['workers']) alive ? worker?.ref() : worker?.unref();
}
