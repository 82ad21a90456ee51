/** The `keyturn` binary: arguments in, an exit code out. */
import { CommanderError } from 'commander';
import { watchReaders } from './closed-reader.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { createProgram } from './program.ts';

watchReaders();

const output = createOutput({
  // Read here as well as by commander, because its own complaints must have the right form too.
  isJson: process.argv.includes('--json'),
  showsStack: ['debug', 'trace'].includes(process.env['KEYTURN_LOG_LEVEL'] ?? ''),
});

try {
  await createProgram(output).parseAsync(process.argv);
} catch (error) {
  // `--help` and `--version` end by an exception too.
  if (error instanceof CommanderError && error.exitCode === 0) process.exit(EXIT_CODES.ok);
  // It knows the errors of every part, and loads them.
  const { failureOf } = await import('./failure-of.ts');
  const failure = failureOf(error);
  output.failure(failure);
  // A command that failed half way may have left connections open.
  process.exit(failure.exitCode);
}
