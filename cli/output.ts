/** Data to stdout, notes and errors to stderr; with `--json` one JSON value on either. */
import type { CommandFailure } from './command-failure.ts';

export interface Output {
  readonly isJson: boolean;
  /** What the command was asked for, once: as a JSON value or as lines for people, which may be none. */
  result(value: unknown, text: string): void;
  /** For people alone: with `--json` nothing is written, so that stderr is empty or holds one error. */
  note(text: string): void;
  failure(failure: CommandFailure): void;
}

/** Text of others (names, descriptions, a server's words) must not move the cursor or recolour the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

type Sink = Pick<NodeJS.WritableStream, 'write'>;

/** @param showsStack whether an unexpected failure is followed by its stack */
export function createOutput({
  isJson,
  showsStack,
  stdout = process.stdout,
  stderr = process.stderr,
}: {
  readonly isJson: boolean;
  readonly showsStack: boolean;
  readonly stdout?: Sink;
  readonly stderr?: Sink;
}): Output {
  const data = (text: string) => void stdout.write(`${text}\n`);
  const remark = (text: string) => void stderr.write(`${text}\n`);
  return {
    isJson,
    result(value, text) {
      if (isJson) data(JSON.stringify(value));
      else if (text !== '') data(text);
    },
    note(text) {
      if (!isJson) remark(text);
    },
    failure({ code, message, members, stack }) {
      remark(isJson ? JSON.stringify({ code, message, ...members }) : `keyturn: ${message}`);
      if (isJson || code !== 'internal') return;
      remark(showsStack ? String(stack) : 'KEYTURN_LOG_LEVEL=debug shows where it happened');
    },
  };
}
