import { expect, it } from '@jest/globals';
import { Command } from 'commander';
import { addListOptions, editList, listEditOf } from '../../cli/list-options.ts';

const LIST = { whole: 'allow-ip', entry: 'ip', list: 'allowlist', value: '<cidr>' };
const CURRENT = ['10.0.0.1', '10.0.0.2'];

function edit(...args: readonly string[]) {
  const command = addListOptions(new Command(), LIST)
    .exitOverride()
    .configureOutput({ writeErr() {}, outputError() {} });
  return editList(CURRENT, listEditOf(command.parse(args, { from: 'user' }).opts(), LIST), LIST);
}

it('stays undefined where nothing was asked for', () => {
  expect(edit()).toBeUndefined();
});

it('is replaced, emptied, or changed one by one, each entry once', () => {
  expect(edit('--allow-ip', '10.0.0.3', '--allow-ip', '10.0.0.3')).toEqual(['10.0.0.3']);
  expect(edit('--no-allowlist')).toEqual([]);
  expect(edit('--add-ip', '10.0.0.2', '--add-ip', '10.0.0.3')).toEqual([...CURRENT, '10.0.0.3']);
  expect(edit('--remove-ip', '10.0.0.1', '--add-ip', '10.0.0.3')).toEqual(['10.0.0.2', '10.0.0.3']);
});

it('does not take away in silence what is not there', () => {
  expect(() => edit('--remove-ip', '10.0.0.1', '--remove-ip', '10.0.0.9')).toThrow(
    'the allowlist has no ip 10.0.0.9; it has 10.0.0.1, 10.0.0.2',
  );
});

it.each([
  ['--allow-ip', '10.0.0.3', '--add-ip', '10.0.0.4'],
  ['--allow-ip', '10.0.0.3', '--no-allowlist'],
  ['--no-allowlist', '--remove-ip', '10.0.0.1'],
])('refuses %s %s %s', (...args) => {
  expect(() => edit(...args)).toThrow('cannot be used with');
});
