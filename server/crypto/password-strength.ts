import { Worker } from 'node:worker_threads';
import { SecretHasherBusy } from '../api-keys/secret-hasher.ts';
import type { EstimateStrength } from '../users/password.ts';

const WORKER_FILE = new URL('./password-strength-worker.mjs', import.meta.url);
/** Each is a fifth of a second of one core and 65 MB. */
const MAX_AT_ONCE = 2;
const TIMEOUT_MS = 3000;

/**
 * zxcvbn in a thread that lives for one password. It would block the event loop for 0.2 s at its first use and up to 0.1 s at
 * each, and keep 65 MB for good; passwords are set rarely.
 */
export function createStrengthEstimator(): EstimateStrength {
  let underWay = 0;
  return async (password, inputs) => {
    if (underWay >= MAX_AT_ONCE) throw new SecretHasherBusy();
    underWay += 1;
    try {
      return await estimate({ password, inputs });
    } finally {
      underWay -= 1;
    }
  };
}

function estimate(workerData: object): ReturnType<EstimateStrength> {
  // No copy of the environment (master key, database password) and none of the process's loaders in the thread.
  const worker = new Worker(WORKER_FILE, { workerData, env: {}, execArgv: [] });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new SecretHasherBusy()), TIMEOUT_MS);
    worker.once('message', resolve);
    worker.once('error', () => reject(new Error('the strength of a password was not estimated')));
    worker.once('exit', () => clearTimeout(timer));
  }).finally(() => void worker.terminate()) as ReturnType<EstimateStrength>;
}
