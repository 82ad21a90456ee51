import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createLogger } from '../../server/logging.ts';

const root = new URL('../../', import.meta.url);
const LOADER = ['--conditions=keyturn-source', '--import', new URL('node_modules/tsx/dist/loader.mjs', root).href];
/** Less than a pipe holds, so that nothing depends on how fast it is read. */
const LINES = 300;
const UNREAD_BYTES = 16 * 2 ** 20;

type StreamName = 'stdout' | 'stderr';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process whose log goes to a pipe; `body` finds `logger`, `stream`, and `other` for what is no log. */
function run(name: StreamName, body: string): ChildProcess {
  const script = `
    import { outliveReaders } from '${new URL('cli/closed-reader.ts', root)}';
    import { createLogger } from '${new URL('server/logging.ts', root)}';
    const { stdout, stderr } = process;
    const [stream, other] = ${name === 'stdout'} ? [stdout, stderr] : [stderr, stdout];
    const logger = createLogger('info', stream);
    ${body}`;
  const env = { PATH: process.env['PATH'] };
  const args = [...LOADER, '--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** All that a process writes to one of its streams, from now on. */
function collect(child: ChildProcess, name: StreamName): () => string {
  let text = '';
  child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** Without what Node itself has to say of an exception. */
// biome-ignore lint/suspicious/noExplicitAny: lines of any kind
const linesOf = (text: string): any[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

describe.each(['stdout', 'stderr'] as const)('a log on %s', (name) => {
  const other = name === 'stdout' ? 'stderr' : 'stdout';

  test.each([
    ['ends by itself', '', 0],
    ['calls process.exit', 'process.exit(3);', 3],
    ['throws what nobody catches', `setImmediate(() => { throw new Error('unexpected'); });`, 1],
    ['is left by a rejection that nobody awaits', `void Promise.reject(new Error('unexpected'));`, 1],
    [
      'handles a signal',
      `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); process.kill(process.pid, 'SIGTERM');`,
      0,
    ],
  ])('is whole, and in order, when its process %s', async (_, ending, exitCode) => {
    const child = run(name, `for (let n = 0; n < ${LINES}; n += 1) logger.info({ n }, 'line'); ${ending}`);
    const text = collect(child, name);
    const [code] = await once(child, 'close');
    expect(linesOf(text()).map(({ n }) => n)).toEqual(Array.from({ length: LINES }, (__, n) => n));
    expect(code).toBe(exitCode);
  });

  /** Logs twice what may wait to be read, without haste, and says so. */
  const logMuch = `
    const filler = 'x'.repeat(10_000);
    let n = 0;
    while (n < ${(2 * UNREAD_BYTES) / 10_000}) {
      logger.info({ n: n++, filler }, 'line');
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    other.write(JSON.stringify({ n, waiting: stream.writableLength }) + '\\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.destroy();`;

  test('that nobody reads neither stops its process nor fills its memory, and says later what is missing', async () => {
    const child = run(
      name,
      `${logMuch} while (stream.writableLength > 0) await new Promise(setImmediate); logger.info('last');`,
    );
    const said = collect(child, other);
    await once(child[other] as NonNullable<ChildProcess['stdout']>, 'data');
    const [{ n: loggedCount, waiting }] = linesOf(said());
    expect(waiting).toBeGreaterThan(UNREAD_BYTES / 2);
    expect(waiting).toBeLessThan(UNREAD_BYTES + 100_000);

    const text = collect(child, name);
    child.stdin?.end('go on');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const lines = linesOf(text());
    const [{ dropped }] = lines.filter((line) => 'dropped' in line);
    expect(lines.filter(({ msg }) => msg === 'line')).toHaveLength(loggedCount - dropped);
    expect(lines.at(-1)).toMatchObject({ msg: 'last' });
  });

  test('whose reader has gone neither ends a process that outlives readers, nor fills its memory', async () => {
    const child = run(name, `outliveReaders(); logger.info('first'); ${logMuch} logger.info('last');`);
    const said = collect(child, other);
    child[name]?.once('data', () => child[name]?.destroy());
    await once(child[other] as NonNullable<ChildProcess['stdout']>, 'data');
    expect(linesOf(said())[0].waiting).toBeLessThan(UNREAD_BYTES + 100_000);
    child.stdin?.end('go on');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});

describe('a log line', () => {
  afterEach(() => void jest.restoreAllMocks());

  function logging(bindings: Readonly<Record<string, unknown>> | null = null) {
    const lines: string[] = [];
    return { logger: createLogger('info', { write: (line) => void lines.push(line) }, bindings), lines };
  }

  test('goes to a stream of its own at once, one JSON text each, from the level on', () => {
    const { logger, lines } = logging();
    logger.debug('too little');
    logger.info({ a: 1 }, 'text');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ level: 30, time: expect.any(String), a: 1, msg: 'text' });
  });

  test('says when, also the next in the same millisecond and one after the clock was set back', () => {
    const { logger, lines } = logging();
    const startMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
    const clock = jest.spyOn(Date, 'now');
    for (const nowMs of [startMs, startMs, startMs + 1, startMs - 1000]) {
      clock.mockReturnValue(nowMs);
      logger.info('');
    }
    expect(lines.map((line) => JSON.parse(line).time)).toEqual([
      '2026-01-02T03:04:05.006Z',
      '2026-01-02T03:04:05.006Z',
      '2026-01-02T03:04:05.007Z',
      '2026-01-02T03:04:04.006Z',
    ]);
  });

  test('has the fields of its logger', () => {
    const { logger, lines } = logging({ worker: 2 });
    logger.info('text');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ worker: 2, msg: 'text' });
  });
});
