/* The parent's side of run-contender.mjs. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('run-contender.mjs', import.meta.url));
const ANSWER_MS = 60_000;

/**
 * @param setup what a contender needs to know of the issuer, and `probe`, a good Authorization header
 * @param pool the tokens to verify, as {@link writePool} tells them
 */
export async function startContender(name, { setup, pool }) {
  const child = fork(program, [name], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

  function answer() {
    return new Promise((resolve, reject) => {
      const settle = (error, message) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit);
        if (error === null) resolve(message);
        else reject(new Error(`${name}: ${error}`));
      };
      const onMessage = ({ error = null, ...message }) => settle(error, message);
      const onExit = (code) => settle(`ended with ${code}`);
      const timer = setTimeout(() => settle('did not answer in time'), ANSWER_MS);
      child.on('message', onMessage).on('exit', onExit);
    });
  }

  async function ask(message) {
    child.send(message);
    return answer();
  }

  try {
    await answer();
    await ask({ prepare: { setup, pool } });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    /** @returns `{ operations, cpuUs }` */
    run: (job) => ask({ job }),
    stop: () => child.kill('SIGKILL'),
  };
}
