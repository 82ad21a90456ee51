import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { serviceUrl } from '../support/services.ts';
import { sqlDatabases } from '../support/sql-databases.ts';
import { freePort, makeFolder, type Running, runKeyturn, serveKeyturn, startKeyturn } from './run-keyturn.ts';
import {
  type BegunRequest,
  beginRequest,
  call,
  EXCHANGE,
  type Load,
  type RunningWorkers,
  readLog,
  startLoad,
  startWorkers,
  until,
} from './run-workers.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(120_000);

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function folder(): string {
  const made = makeFolder();
  undo.push(made.remove);
  return made.folder;
}

/** All of its processes hold stdout: it has finished when the last of them has. */
function ending<R extends Running>(running: R): R {
  undo.push(() => {
    running.child.kill('SIGKILL');
    return running.finished;
  });
  return running;
}

function loading(service: RunningWorkers): Load {
  const load = startLoad(service);
  undo.push(() => load.stop());
  return load;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function beginning({ port }: RunningWorkers): Promise<BegunRequest> {
  const begun = await beginRequest(port);
  undo.push(() => begun.socket.destroy());
  return begun;
}

describe.each(sqlDatabases)('two workers on $name', ({ openEmpty }) => {
  it('both serve, and know one another’s keys, tokens and sessions', async () => {
    const store = await openEmpty();
    undo.push(() => store.close());
    const cwd = folder();
    const redisUrl = store.database.dialect === 'mysql' ? serviceUrl('redis') : null;
    const env = { DATABASE_URL: store.url, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) };
    const { client_secret: apiKey } = JSON.parse((await runKeyturn(['bootstrap', '--json'], { cwd, env })).stdout);
    const port = await freePort();
    const running = startKeyturn(['serve', '--workers', '2'], { cwd, env: { ...env, PORT: String(port) } });
    const service = ending(running);
    await until(() => service.output().includes('"ready"'));

    const answering = () =>
      new Set(readLog(service.output()).flatMap(({ msg, pid }) => (msg === 'request' ? [pid] : [])));
    let { text } = await call(port, { ...EXCHANGE, apiKey });
    await until(async () => {
      // Each on a connection of its own, at whichever worker accepts it; of sixteen at once both get some, sooner or later.
      const form = `grant_type=refresh_token&refresh_token=${JSON.parse(text).refresh_token}`;
      const refreshed = await call(port, { path: '/oauth/token', form });
      expect(refreshed.status).toBe(200);
      text = refreshed.text;
      await Promise.all(Array.from({ length: 16 }, () => call(port, { path: '/livez' })));
      expect(await call(port, { path: '/oauth/token', form })).toMatchObject({ status: 400 });
      ({ text } = await call(port, { ...EXCHANGE, apiKey }));
      return answering().size === 2;
    });
    service.child.kill('SIGTERM');
    expect(await service.finished).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('what happens once', () => {
  it('is the first key, printed by nobody but the first process, and never again', async () => {
    const cwd = folder();
    const first = ending(await serveKeyturn({ cwd }, ['--workers', '2']));
    const secret = first.bootstrapped?.client_secret as string;
    expect(secret).toMatch(/^ktk_/);
    const { exitCode, stdout, stderr } = await first.stop();
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain(secret);
    const log = readLog(stderr);
    for (const message of ['database migrated', 'signing keys changed', 'ready', 'draining', 'stopped'])
      expect(log.filter(({ msg }) => msg === message)).toHaveLength(1);
    const second = ending(await serveKeyturn({ cwd }, ['--workers', '2']));
    expect(second.bootstrapped).toBeNull();
  });

  it.each(['PORT', 'KEYTURN_OPS_PORT'])(
    'is the word that %s is in use; and no key is spent on nobody',
    async (name) => {
      const cwd = folder();
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      undo.push(() => other.close());
      const taken = String((other.address() as AddressInfo).port);
      const env = { PORT: String(await freePort()), [name]: taken };
      const { exitCode, stdout, stderr } = await runKeyturn(['serve', '--workers', '2', '--json'], { cwd, env });
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr.match(/in use/g)).toHaveLength(1);
      const last = stderr.trim().split('\n').at(-1) as string;
      expect(JSON.parse(last)).toMatchObject({ code: 'port_in_use', setting: name });
      // As if nothing had been.
      expect(ending(await serveKeyturn({ cwd })).bootstrapped).not.toBeNull();
    },
  );

  it('is the report on wrong settings, and on a database that does not answer', async () => {
    const settings = await runKeyturn(['serve', '--workers', '2'], { cwd: folder(), env: { PORT: 'eighty' } });
    expect(settings).toMatchObject({ exitCode: 2, stdout: '' });
    expect(settings.stderr.match(/PORT must be/g)).toHaveLength(1);
    const env = { PORT: String(await freePort()), DATABASE_URL: `mysql://u:s3cret@127.0.0.1:${await freePort()}/k` };
    const database = await runKeyturn(['serve', '--workers', '2'], { cwd: folder(), env });
    expect(database.exitCode).toBe(5);
    expect(database.stderr.match(/DATABASE_URL/g)).toHaveLength(1);
    expect(database.stdout + database.stderr).not.toContain('s3cret');
  });
});

it('/metrics tells of all workers, whichever is asked, on the operations port', async () => {
  const opsPort = await freePort();
  const service = await startWorkers(folder(), { env: { KEYTURN_OPS_PORT: String(opsPort) }, ending });
  const exchanges = Array.from({ length: 12 }, () => call(service.port, { ...EXCHANGE, apiKey: service.apiKey }));
  for (const { status } of await Promise.all(exchanges)) expect(status).toBe(200);
  const texts = await Promise.all(Array.from({ length: 8 }, () => call(opsPort, { path: '/metrics' })));
  for (const { status, text } of texts) {
    expect(status).toBe(200);
    const counted = text.matchAll(/^keyturn_token_requests_total\{.*outcome="ok",worker="[12]"\} (\d+)$/gm);
    expect([...counted].reduce((sum, [, count]) => sum + Number(count), 0)).toBe(12);
    const sizes = text.matchAll(/^keyturn_process_resident_memory_bytes\{worker="(.*)"\} \d+$/gm);
    expect([...sizes].map(([, worker]) => worker).sort()).toEqual(['1', '2']);
    expect(text).toMatch(/^keyturn_workers 2$/m);
    // A metric that is told of twice makes Prometheus refuse the whole.
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  }
  expect((await call(opsPort, { path: '/readyz' })).status).toBe(200);
  expect((await call(service.port, { path: '/metrics' })).status).toBe(404);
});

describe('SIGHUP', () => {
  it('replaces every worker and costs no request', async () => {
    const service = await startWorkers(folder(), { ending });
    const load = loading(service);
    await until(() => load.answered() > 200);
    const before = [...service.pids().values()];
    service.child.kill('SIGHUP');
    await until(() => service.logged('restarted the workers').length === 1);
    const after = [...service.pids().values()];
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(before.filter(isAlive)).toEqual([]);
    const answered = load.answered();
    await until(() => load.answered() > answered + 200);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(service.logged('worker ended by itself')).toEqual([]);
  });

  it('leaves the workers as they are where a new one can not start', async () => {
    const cwd = folder();
    const level = path.join(cwd, 'level');
    writeFileSync(level, 'info');
    const service = await startWorkers(cwd, { env: { KEYTURN_LOG_LEVEL_FILE: level }, ending });
    const pids = service.pids();
    writeFileSync(level, 'loud');
    service.child.kill('SIGHUP');
    await until(() => service.logged('restart given up').length === 1);
    expect(service.logged('restart given up')[0]).toMatchObject({
      reason: expect.stringContaining('KEYTURN_LOG_LEVEL'),
    });
    expect(service.pids()).toEqual(pids);
    expect([...pids.values()].map(isAlive)).toEqual([true, true]);
    expect((await call(service.port, { path: '/livez' })).status).toBe(200);
  });

  it('does no harm to one process alone', async () => {
    const service = ending(await serveKeyturn({ cwd: folder() }));
    let log = '';
    service.child.stderr?.on('data', (text) => {
      log += text;
    });
    service.child.kill('SIGHUP');
    await until(() => log.includes('--workers 2'));
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    expect(await service.stop()).toMatchObject({ exitCode: 0 });
  });
});

describe('a worker that is killed', () => {
  it('is replaced, and takes only its own requests with it', async () => {
    const service = await startWorkers(folder(), { ending });
    const load = loading(service);
    await until(() => load.answered() > 200);
    const pid = service.pids().get(2) as number;
    process.kill(pid, 'SIGKILL');
    await until(() => service.pids().get(2) !== pid);
    const ended = { worker: 2, pid, exit_code: null, signal: 'SIGKILL' };
    expect(service.logged('worker ended by itself')).toEqual([expect.objectContaining(ended)]);
    // No client had more than one request there, and none got an answer that was wrong.
    expect(load.failures.length).toBeLessThanOrEqual(load.clients);
    expect(load.failures.filter((failure) => !/^(ECONNRESET|EPIPE)$/.test(failure))).toEqual([]);
    const [failed, answered] = [load.failures.length, load.answered()];
    await until(() => load.answered() > answered + 200);
    expect(load.failures).toHaveLength(failed);
    const { text } = await call(service.port, { path: '/metrics' });
    expect(text).toMatch(/^keyturn_worker_crashes_total 1$/m);
  });

  it('leaves no client waiting whose connection was on its way to it', async () => {
    const service = await startWorkers(folder(), { ending });
    const pid = service.pids().get(2) as number;
    process.kill(pid, 'SIGSTOP');
    const calls = Array.from({ length: 6 }, () => call(service.port, { path: '/livez' }));
    const answers = Promise.allSettled(calls);
    // The first process hands over one connection, and no more before it hears that it has arrived.
    await until(() => service.logged('request').length === 5);
    process.kill(pid, 'SIGKILL');
    const lost = (await answers).filter(({ status }) => status === 'rejected');
    expect(lost).toEqual([{ status: 'rejected', reason: expect.objectContaining({ code: 'ECONNRESET' }) }]);
  });

  it('is tried again for as long as others serve; with the last one the service ends, and says why', async () => {
    const cwd = folder();
    const level = path.join(cwd, 'level');
    writeFileSync(level, 'info');
    const service = await startWorkers(cwd, { env: { KEYTURN_LOG_LEVEL_FILE: level }, ending });
    const [first, second] = [service.pids().get(1) as number, service.pids().get(2) as number];
    writeFileSync(level, 'loud');
    process.kill(first, 'SIGKILL');
    await until(() => service.logged('worker not replaced yet').length === 2);
    expect((await call(service.port, { path: '/livez' })).status).toBe(200);
    process.kill(second, 'SIGKILL');
    const { exitCode, stderr } = await service.finished;
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^keyturn: A setting is wrong:\n {2}KEYTURN_LOG_LEVEL must be/);
  });
});

describe('the end', () => {
  it('drains once, whatever systemd or a terminal send to the workers themselves', async () => {
    const service = await startWorkers(folder(), { ending });
    const { end } = await beginning(service);
    service.child.kill('SIGTERM');
    for (const pid of service.pids().values())
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.kill(pid, signal);
    await until(() => service.logged('draining').length === 1);
    expect(await end()).toMatch(/HTTP\/1\.1 400 /);
    expect(await service.finished).toMatchObject({ exitCode: 0, stderr: '' });
    expect(service.logged('stopped')).toHaveLength(1);
    expect(service.log().filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it('a second signal does not wait for a request in flight', async () => {
    const service = await startWorkers(folder(), { ending });
    const { socket } = await beginning(service);
    const isClosed = once(socket, 'close');
    service.child.kill('SIGTERM');
    await until(() => service.logged('draining').length === 1);
    const again = setInterval(() => service.child.kill('SIGTERM'), 100);
    undo.push(() => clearInterval(again));
    expect(await service.finished).toMatchObject({ exitCode: 1 });
    await isClosed;
    expect(service.logged('request')).toEqual([]);
  });

  it('the workers finish what they have begun when the first process is killed, and end', async () => {
    const service = await startWorkers(folder(), { ending });
    const { end } = await beginning(service);
    service.child.kill('SIGKILL');
    await until(() => service.logged('the first process has gone: draining').length === 2);
    expect(await end()).toMatch(/HTTP\/1\.1 400 /);
    // Not before the last of its processes has gone.
    await service.finished;
    expect(service.logged('request')).toEqual([expect.objectContaining({ status: 400 })]);
    await expect(call(service.port, { path: '/livez' })).rejects.toThrow('ECONNREFUSED');
  });
});
