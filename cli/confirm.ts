import { createInterface } from 'node:readline/promises';
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES } from './exit-codes.ts';

/**
 * Asks on the terminal; only `y` or `yes` is consent.
 *
 * @throws {CommandFailure} when the answer is another one, or when there is no terminal to ask on.
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandFailure(EXIT_CODES.usage, 'usage', 'there is no terminal to ask on: pass --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D ends the input without an answer.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new CommandFailure(EXIT_CODES.failed, 'not_confirmed', 'nothing was done');
}
