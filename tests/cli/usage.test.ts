import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { makeFolder, runKeyturn } from './run-keyturn.ts';
import { runHere } from './served-commands.ts';

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

const KEY = `key_${'0'.repeat(26)}`;

describe.each([
  ['no command', [], 'Usage: keyturn'],
  ['a group without a command', ['keys'], 'Usage: keyturn keys'],
  ['an unknown command, with a suggestion', ['serv'], 'Did you mean serve?'],
  ['an unknown option', ['migrate', '--force'], "unknown option '--force'"],
  ['an argument too many', ['migrate', 'now'], 'too many arguments'],
  ['a missing argument', ['keys', 'show'], "missing required argument 'key'"],
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
    expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
  });

  it('is 2, as JSON', async () => {
    const { exitCode, stdout, stderr } = await runKeyturn([...args, '--json'], { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toEqual({ code: 'usage', message: expect.any(String) });
  });
});

it.each([
  ['a list both replaced and changed', ['keys', 'edit', KEY, '--no-roles', '--add-role', 'viewer'], 'cannot be used'],
  ['a role in two workspaces', ['keys', 'create', '--name', 'x', '--role', 'a@b@c'], 'viewer@staging'],
  ['a duration without a unit', ['keys', 'list', '--unused-since', '90'], '2027-01-31'],
  ['an overlap without a unit', ['keys', 'regenerate', KEY, '--overlap', '90'], '24h'],
  ['an overlap of a month', ['keys', 'regenerate', KEY, '--overlap', '30d'], '7d at most'],
  ['a key that is valid and not', ['keys', 'list', '--valid', '--invalid'], 'cannot be used'],
  ['an order that there is not', ['keys', 'list', '--sort', 'size'], 'Allowed choices are'],
  ['a limit of nothing', ['roles', 'list', '--limit', '0'], 'from 1 on'],
  ['a member by nobody', ['members', 'add', '--role', 'viewer'], 'one of --user and --email'],
  ['a shell that is not known', ['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
  ['a deletion without a terminal', ['roles', 'rm', 'viewer'], 'there is no terminal to ask on: pass --yes'],
  ['a new secret without a terminal', ['keys', 'regenerate', KEY], 'there is no terminal to ask on: pass --yes'],
] as const)('%s is 2 too', async (_, args, words) => {
  const { exitCode, stdout, stderr } = await runHere([...args, '--json'], {});
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(JSON.parse(stderr)).toEqual({ code: 'usage', message: expect.stringContaining(words) });
});
