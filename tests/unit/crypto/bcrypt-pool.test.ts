import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  MAX_CHOSEN_SECRET_BYTES,
  type SecretHasher,
  SecretHasherBusy,
  SecretTooLong,
} from '../../../server/api-keys/secret-hasher.ts';
import { type BcryptPoolOptions, createBcryptPool } from '../../../server/crypto/bcrypt-pool.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const QUICK = 4;

const open: SecretHasher[] = [];
function newPool(options: BcryptPoolOptions = {}): SecretHasher {
  const hasher = createBcryptPool({ cost: QUICK, maxWorkers: 1, ...options });
  open.push(hasher);
  return hasher;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((hasher) => hasher.close()));
});

/** Runs a module in a process of its own, as tsx runs the service, and gives what it printed. */
async function runAlone(source: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const options = { cwd: REPOSITORY, env: { PATH: process.env['PATH'], ...env }, timeout: 25_000 };
  return (await promisify(execFile)(process.execPath, argv, options)).stdout;
}

describe('hash and compare', () => {
  test('a hash with cost 12 by default, which only its own secret proves', async () => {
    const hasher = createBcryptPool({ maxWorkers: 1 });
    open.push(hasher);
    const hash = await hasher.hash('Correct-Horse-1');
    expect(hash).toMatch(/^\$2b\$12\$[./A-Za-z0-9]{53}$/);
    expect(await hasher.compare('Correct-Horse-1', hash)).toBe(true);
    expect(await hasher.compare('Correct-Horse-2', hash)).toBe(false);
  });

  test.each(['', 'not a hash', '$2b$12$short'])('%j as a hash proves nothing', async (hash) => {
    expect(await newPool().compare('Correct-Horse-1', hash)).toBe(false);
  });

  test('a NUL does not end the secret', async () => {
    const hasher = newPool();
    const hash = await hasher.hash('same\0one');
    expect(await hasher.compare('same\0two', hash)).toBe(false);
  });

  test('72 bytes count to the last, more are refused (attack 26)', async () => {
    const hasher = newPool();
    const longest = 'é'.repeat(MAX_CHOSEN_SECRET_BYTES / 2);
    const hash = await hasher.hash(longest);
    expect(await hasher.compare(longest, hash)).toBe(true);
    expect(await hasher.compare(`${longest.slice(0, -1)}è`, hash)).toBe(false);
    await expect(hasher.compare(`${longest}x`, hash)).rejects.toThrow(SecretTooLong);
    await expect(hasher.hash(`${longest}x`)).rejects.toThrow(RangeError);
  });
});

describe('bounds', () => {
  test('refuses what would wait behind a full queue, and serves again when there is room', async () => {
    const hasher = newPool({ maxQueued: 2 });
    expect(hasher.capacity).toBe(3);
    const hash = await hasher.hash('a secret');
    const answers = Array.from({ length: 5 }, () => hasher.compare('a secret', hash));
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 3 }, () => 'fulfilled'),
      ...Array.from({ length: 2 }, () => 'rejected'),
    ]);
    await expect(answers[4]).rejects.toThrow(SecretHasherBusy);
    expect(await hasher.compare('a secret', hash)).toBe(true);
  });

  test('a closed pool takes nothing more; closing twice, or unused, is harmless', async () => {
    const hasher = newPool();
    await hasher.hash('a secret');
    await hasher.close();
    await hasher.close();
    await expect(hasher.hash('a secret')).rejects.toThrow('closed');
    await newPool().close();
  });

  test('close finishes what runs and rejects what waits', async () => {
    const hasher = newPool();
    const [running, waiting] = [hasher.hash('first'), hasher.hash('second')];
    const settled = Promise.allSettled([running, waiting]);
    await hasher.close();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('threads', () => {
  const NEW_POOL = `import { createBcryptPool } from './server/crypto/bcrypt-pool.ts';
    const workers = [];
    process.on('worker', (worker) => workers.push(worker));
    const newPool = (options) => createBcryptPool({ cost: 4, maxWorkers: 1, ...options });`;

  test('idle workers do not hold the process, busy ones do', async () => {
    const printed = await runAlone(`${NEW_POOL}
      const hasher = newPool();
      await hasher.hash('leaves an idle worker');
      console.log(await hasher.hash('is waited for') !== '');`);
    expect(printed).toBe('true\n');
  });

  test('idle workers end, and the next secret starts another', async () => {
    const printed = await runAlone(`${NEW_POOL}
      const hasher = newPool({ idleMs: 1 });
      const hash = await hasher.hash('a secret');
      workers[0].ref();
      await new Promise((resolve) => workers[0].once('exit', resolve));
      console.log(await hasher.compare('a secret', hash), workers.length);`);
    expect(printed).toBe('true 2\n');
  });

  test('workers see nothing of the environment', async () => {
    const printed = await runAlone(
      `${NEW_POOL}
      await newPool().hash('a secret');
      workers[0].ref();
      workers[0].postMessage({ id: 99, method: 'run', params: ['() => JSON.stringify([process.env, process.execArgv])'] });
      workers[0].once('message', ({ result }) => { console.log(result); process.exit(); });`,
      { KEYTURN_MASTER_KEY: 'sentinel' },
    );
    expect(printed).toBe('[{},[]]\n');
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('workers yield to the event loop, whose own priority stays', async () => {
    const printed = await runAlone(`import { readdirSync, readFileSync } from 'node:fs';
      ${NEW_POOL}
      // proc(5): the 19th field, counted behind the name, which may hold spaces.
      const nicenessOf = (thread) =>
        Number(readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').replace(/^.*\\) /s, '').split(' ')[16]);
      const nicenessOfAll = () => readdirSync('/proc/self/task').map(nicenessOf);
      const own = nicenessOf(process.pid);
      const lowered = () => nicenessOfAll().filter((niceness) => niceness > own).length;
      const loweredBefore = lowered();
      await newPool().hash('a secret');
      console.log(lowered() - loweredBefore, nicenessOf(process.pid) === own);`);
    expect(printed).toBe('1 true\n');
  });

  test('hashing leaves libuv its threads: files are read while every worker is busy', async () => {
    const printed = await runAlone(
      `import { readFile } from 'node:fs/promises';
      ${NEW_POOL}
      const hasher = newPool({ cost: 10 });
      const order = [];
      const hashes = Array.from({ length: 6 }, () => hasher.hash('a secret').then(() => order.push('hash')));
      const reads = Array.from({ length: 20 }, () => readFile('package.json').then(() => order.push('read')));
      await Promise.all([...hashes, ...reads]);
      console.log(order.lastIndexOf('read') < order.lastIndexOf('hash'));`,
      { UV_THREADPOOL_SIZE: '1' },
    );
    expect(printed).toBe('true\n');
  });
});
