import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { makeFolder, runKeyturn } from './run-keyturn.ts';

jest.setTimeout(60_000);

const { folder: cwd, remove } = makeFolder();
afterAll(remove);

it('--version tells the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await runKeyturn(['--version'], { cwd })).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

it('--help goes to stdout', async () => {
  const { exitCode, stdout, stderr } = await runKeyturn(['keys', 'create', '--help'], { cwd });
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('Examples:');
});

describe.each([
  ['no command', [], 'Usage: keyturn'],
  ['a group without a command', ['keys'], 'Usage: keyturn keys'],
  ['an unknown command, with a suggestion', ['serv'], 'Did you mean serve?'],
  ['an unknown option', ['migrate', '--force'], "unknown option '--force'"],
  ['an argument too many', ['migrate', 'now'], 'too many arguments'],
  ['a missing argument', ['keys', 'show'], "missing required argument 'id'"],
  ['a missing option', ['keys', 'create'], "required option '--name <name>' not specified"],
  ['a client_id for an id', ['keys', 'revoke', 'ci_0123456789abcdefghijklmno'], 'not its client_id'],
  ['an e-mail address that is none', ['bootstrap', '--email', 'ada'], 'must be an e-mail address'],
  ['no API key', ['keys', 'list'], 'KEYTURN_API_KEY'],
  ['a file that is not there', ['keys', 'list', '--api-key-file', '/nowhere'], "can't read /nowhere (ENOENT)"],
] as const)('%s', (_, args, words) => {
  it('is 2, in words', async () => {
    const { exitCode, stdout, stderr } = await runKeyturn(args, { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('is 2, as JSON', async () => {
    const { exitCode, stdout, stderr } = await runKeyturn([...args, '--json'], { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toEqual({ code: 'usage', message: expect.any(String) });
  });
});
