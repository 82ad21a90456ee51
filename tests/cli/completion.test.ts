import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Command } from 'commander';
import { flagsWithValue, listCommands } from '../../cli/completion/command-tree.ts';
import { createProgram } from '../../cli/program.ts';
import { makeFolder, runKeyturn } from './run-keyturn.ts';

jest.setTimeout(60_000);

const { folder: cwd, remove } = makeFolder('keyturn completion ');
afterAll(remove);

const scriptOf = (shell: string) => path.join(cwd, `keyturn.${shell}`);
const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const program = () => createProgram({ isJson: false, result() {}, note() {}, failure() {} });

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exitCode, stdout } = await runKeyturn(['completion', shell], { cwd });
    expect(exitCode).toBe(0);
    writeFileSync(scriptOf(shell), stdout);
  }
  writeFileSync(path.join(cwd, 'api key.txt'), '');
});

/** @param words the line; the last one is being typed */
function completeInBash(...words: readonly string[]): readonly string[] {
  const ask =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keyturn; printf "%s\\n" "${COMPREPLY[@]}"';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', ask, 'bash', scriptOf('bash'), ...words], {
    cwd,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

const namesOf = (command: Command) => command.commands.map((child) => child.name());

describe('bash', () => {
  it('completes every command and every option of each', () => {
    for (const { path: commandPath, subcommands, options } of listCommands(program())) {
      const words = commandPath.split(' ');
      if (subcommands.length > 0) expect(completeInBash(...words, '')).toEqual(subcommands.map(({ name }) => name));
      const long = options.flatMap(({ flags }) => flags).filter((flag) => flag.startsWith('--'));
      expect(completeInBash(...words, '--')).toEqual(long);
    }
    expect(completeInBash('keyturn', 'ke')).toEqual(['keys']);
    expect(namesOf(program())).toContain('keys');
  });

  it('looks past options and their values', () => {
    expect(completeInBash('keyturn', 'keys', 'list', '--project', 'roles', '--unused')).toEqual(['--unused-since']);
    expect(completeInBash('keyturn', 'keys', 'revoke', '--json', 'key_x', '--y')).toEqual(['--yes']);
  });

  it('completes values: choices, files with spaces, and nothing where anything can stand', () => {
    expect(completeInBash('keyturn', 'keys', 'list', '--sort', 'last')).toEqual(['last_used_at']);
    expect(completeInBash('keyturn', 'keys', 'list', '--sort', '=', 'last')).toEqual(['last_used_at']);
    expect(completeInBash('keyturn', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(completeInBash('keyturn', 'keys', 'list', '--api-key-file', 'api')).toEqual(['api key.txt']);
    expect(completeInBash('keyturn', 'keys', 'list', '--owner', '')).toEqual([]);
  });
});

// Which shells a machine has is not for us to say: where one is missing, only the text is looked at.
describe.each(['zsh', 'fish'])('%s', (shell) => {
  it('gets every command and option, in a script that it can parse', async () => {
    const { stdout } = await runKeyturn(['completion', shell], { cwd });
    for (const { path: commandPath, options } of listCommands(program())) {
      expect(stdout).toContain(commandPath);
      for (const flag of options.flatMap(({ flags }) => flags)) expect(stdout).toContain(flag.replace(/^-+/, ''));
    }
    if (!isInstalled(shell)) return;
    expect(spawnSync(shell, ['-n', scriptOf(shell)], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

const FISH = 'fish';
(isInstalled(FISH) ? it : it.skip)('fish completes commands, options and values', () => {
  const complete = (line: string) =>
    spawnSync(FISH, ['-c', `source $argv[1]; complete -C $argv[2]`, scriptOf(FISH), line], {
      cwd,
      encoding: 'utf8',
    })
      .stdout.split('\n')
      .map((candidate) => candidate.split('\t')[0])
      .filter((candidate) => candidate !== '');
  expect(complete('keyturn ')).toEqual(expect.arrayContaining(namesOf(program())));
  expect(complete('keyturn keys li')).toEqual(['list']);
  expect(complete('keyturn keys list --project roles --unused')).toEqual(['--unused-since']);
  expect(complete('keyturn keys list --sort last')).toEqual(['last_used_at']);
});

it('a flag takes the same value in every command: the scripts complete and skip it without knowing which', () => {
  const commands = listCommands(program());
  const withValue = flagsWithValue(commands);
  const switches = commands.flatMap(({ options }) => options.filter(({ value }) => value === null));
  expect(switches.flatMap(({ flags }) => flags).filter((flag) => withValue.includes(flag))).toEqual([]);
  expect(withValue).toContain('--api-key-file');
  for (const flag of withValue) {
    const values = commands.flatMap(({ options }) => options.filter(({ flags }) => flags.includes(flag)));
    expect(new Set(values.map(({ value }) => JSON.stringify(value))).size).toBe(1);
  }
});
