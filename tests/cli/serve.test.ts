import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  freePort,
  KEYTURN,
  makeFolder,
  type Running,
  runKeyturn,
  serveKeyturn,
  startKeyturn,
  untilSaid,
} from './run-keyturn.ts';

// A test here is several processes, on a machine that may have others to run.
jest.setTimeout(60_000);

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function folder(prefix?: string): string {
  const made = makeFolder(prefix);
  undo.push(made.remove);
  return made.folder;
}

function ending<R extends Running>(running: R): R {
  undo.push(() => {
    running.child.kill('SIGKILL');
    return running.finished;
  });
  return running;
}

/** A new shell each time, in a folder that has nothing to do with the service. */
function paste(shell: string, line: string): Record<string, unknown> {
  const { stdout, stderr } = spawnSync(shell, ['-c', line], { cwd: '/', encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.endsWith('\n')).toBe(true);
  return JSON.parse(stdout);
}

describe('the lines of a first start', () => {
  it.each(['dash', 'bash'])('work as pasted into %s', async (shell) => {
    const cwd = folder("keyturn it's $HOME & `pwd` ");
    const env = { PORT: String(await freePort()), KEYTURN_LOG_LEVEL: 'warn' };
    const service = ending(startKeyturn(['serve'], { cwd, env }));
    const banner = await untilSaid(service, /works once:\n\n.*\n\n?$/);
    const lines = banner.split('\n').filter((line) => line.includes('curl'));
    expect(lines).toHaveLength(3);
    const [exchange, call, refresh] = lines as [string, string, string];

    const tokens = paste(shell, exchange);
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 7200, refresh_token_expires_in: 10800 });
    const file = path.join(cwd, 'data/quickstart.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(tokens);

    expect(paste(shell, call)).toMatchObject({ permissions: ['*:*', '*:keyturn', '*:keyturn-installation'] });
    const refreshed = paste(shell, refresh);
    expect(refreshed).toMatchObject({ token_type: 'Bearer' });
    expect(refreshed['refresh_token']).not.toBe(tokens['refresh_token']);
    expect(paste(shell, refresh)).toMatchObject({ error: 'invalid_grant' });
  });

  it('pass no secret to a program as an argument', async () => {
    const cwd = folder();
    const service = ending(startKeyturn(['serve'], { cwd, env: { PORT: String(await freePort()) } }));
    const banner = await untilSaid(service, /works once:\n\n.*\n\n?$/);
    const apiKey = banner.match(/ktk_\w+/)?.[0] as string;
    // curl that tells its arguments; printf is the shell's own.
    const spy = path.join(cwd, 'curl');
    writeFileSync(spy, '#!/bin/sh\ncat > /dev/null\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const line = banner.split('\n').find((text) => text.startsWith('printf')) as string;
    const { stdout } = spawnSync('sh', ['-c', line], {
      env: { PATH: `${cwd}:${process.env['PATH']}` },
      encoding: 'utf8',
    });
    expect(stdout).toContain('grant_type=client_credentials');
    expect(stdout).not.toContain(apiKey);
    expect(spawnSync('sh', ['-c', 'type printf'], { encoding: 'utf8' }).stdout).toContain('builtin');
  });

  it('come once: the second start has nothing to show', async () => {
    const cwd = folder();
    const first = ending(await serveKeyturn({ cwd }));
    expect(first.bootstrapped).toMatchObject({ client_secret: expect.stringMatching(/^ktk_/) });
    await first.stop();
    const second = ending(await serveKeyturn({ cwd }));
    expect(second.bootstrapped).toBeNull();
    const { stdout, stderr } = await second.stop();
    expect(stdout + stderr).not.toContain(first.bootstrapped?.client_secret);
  });
});

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends the service with 0', async (signal) => {
    const service = ending(await serveKeyturn({ cwd: folder() }));
    service.child.kill(signal);
    expect(await service.finished).toMatchObject({ exitCode: 0 });
  });

  /** A service that has begun to drain, and the request that it waits for. */
  async function draining(signal: NodeJS.Signals): Promise<{ service: Running; request: Socket }> {
    const port = await freePort();
    const service = ending(startKeyturn(['serve'], { cwd: folder(), env: { PORT: String(port) } }));
    await untilSaid(service, /works once/);
    const request = connect(port, '127.0.0.1');
    request.on('error', () => {});
    undo.push(() => request.destroy());
    await once(request, 'connect');
    request.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    // The answer to Expect shows that the request has begun; its body never comes.
    await once(request, 'data');
    service.child.kill(signal);
    await untilSaid(service, /"draining"/);
    return { service, request };
  }

  it('takes the copy of Ctrl-C that npm sends for the same one', async () => {
    const { service, request } = await draining('SIGINT');
    service.child.kill('SIGINT');
    // Only a process that still waits for it sees the end of the request.
    request.write('a=b&c');
    expect(await service.finished).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"status":4') });
  });

  it('a second one does not wait for a request in flight', async () => {
    const { service } = await draining('SIGTERM');
    const again = setInterval(() => service.child.kill('SIGTERM'), 100);
    const started = performance.now();
    expect(await service.finished).toMatchObject({ exitCode: 1 });
    clearInterval(again);
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

describe('a reader of the log that goes away, as head does,', () => {
  it.each([
    ['stdout', ['serve']],
    ['stderr', ['serve', '--json']],
  ] as const)('of %s, does not end the service', async (stream, args) => {
    const port = await freePort();
    const service = ending(startKeyturn(args, { cwd: folder(), env: { PORT: String(port) } }));
    await untilSaid(service, stream === 'stdout' ? /works once/ : /\n/);
    service.child[stream]?.destroy();
    // Each is logged, to nobody.
    for (let count = 0; count < 3; count += 1) expect((await fetch(`http://127.0.0.1:${port}/v1/me`)).status).toBe(401);
    service.child.kill('SIGTERM');
    expect(await service.finished).toMatchObject({ exitCode: 0 });
    expect(service.child.signalCode).toBeNull();
  });

  it('ends a command that only has a result to show', () => {
    const line = `${[process.execPath, ...KEYTURN].map((word) => `'${word}'`).join(' ')} --help | true; echo \${PIPESTATUS[0]}`;
    expect(spawnSync('bash', ['-c', line], { cwd: folder(), encoding: 'utf8' })).toMatchObject({
      stdout: '0\n',
      stderr: '',
    });
  });
});

describe('what stops the start', () => {
  it('a port in use is named, and the first key is not spent on nobody', async () => {
    const cwd = folder();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    undo.push(() => other.close());
    const port = String((other.address() as AddressInfo).port);
    const { exitCode, stderr } = await runKeyturn(['serve', '--json'], { cwd, env: { PORT: port } });
    expect(exitCode).toBe(1);
    const { bootstrapped } = ending(await serveKeyturn({ cwd }));
    expect(bootstrapped).not.toBeNull();
    const last = stderr.trim().split('\n').at(-1) as string;
    expect(JSON.parse(last)).toMatchObject({ code: 'port_in_use', message: expect.stringContaining(`PORT ${port}`) });
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('wrong settings are told all at once, secrets masked, before anything is made', async () => {
    const cwd = folder();
    const env = {
      PORT: 'eighty',
      REDIS_URL: 'http://:s3cret@h',
      KEYTURN_MASTER_KEY: 'c2hvcnQ',
      KEYTURN_TRUSTED_PROXIES: 'true',
      KEYTURN_ISSUER: 'https://u:s3cret@h',
    };
    const { exitCode, stdout, stderr } = await runKeyturn(['serve'], { cwd, env });
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    for (const name of Object.keys(env)) expect(stderr).toContain(name);
    expect(stderr).not.toMatch(/s3cret|c2hvcnQ|\n\s+at /);
    expect(() => statSync(path.join(cwd, 'data'))).toThrow('ENOENT');
  });

  it('a folder that can not be written is named', async () => {
    const cwd = folder();
    writeFileSync(path.join(cwd, 'data'), 'not a folder');
    const { exitCode, stderr } = await runKeyturn(['migrate', '--json'], { cwd });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ code: 'file_unusable', path: path.join(cwd, 'data') });
  });

  it('a database that does not answer is 5', async () => {
    const env = { PORT: String(await freePort()), DATABASE_URL: `mysql://u:s3cret@127.0.0.1:${await freePort()}/k` };
    const { exitCode, stderr } = await runKeyturn(['serve', '--json'], { cwd: folder(), env });
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/"dependency_unavailable".*DATABASE_URL/);
    expect(stderr).not.toContain('s3cret');
  });

  it('an unhandled rejection is logged, without the secret in it, and ends with 1', async () => {
    const secret = 'ktk_0000000000000000000000000_secret';
    const script = `process.on('SIGUSR2', () => void Promise.reject(new Error('lost ${secret}')))`;
    const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
    const service = ending(await serveKeyturn({ cwd: folder(), nodeOptions }));
    service.child.kill('SIGUSR2');
    const { exitCode, stderr } = await service.finished;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('unexpected fault');
    expect(stderr).toContain('lost [redacted]');
    expect(stderr).not.toContain(secret);
  });
});
