import { Option } from 'commander';

/** Every command has it. Read by `main.ts`, which needs it before commander has parsed anything. */
export const jsonOption = (): Option =>
  new Option('--json', 'print one JSON value to stdout, and an error as one JSON object to stderr');
