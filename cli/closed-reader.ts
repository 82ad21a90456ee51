/** What becomes of a command when nobody reads its output any more. */
import { EXIT_CODES } from './exit-codes.ts';

function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function endWithReader(error: NodeJS.ErrnoException): void {
  ignoreClosedReader(error);
  process.exit(EXIT_CODES.ok);
}

/** A reader of the result that has seen enough, as `head`, ends the command: no fault. Notes may go unread. */
export function watchReaders(): void {
  process.stdout.on('error', endWithReader);
  process.stderr.on('error', ignoreClosedReader);
}

/** From now on an unread result doesn't end the process: a service has clients, whoever reads its log. */
export function outliveReaders(): void {
  process.stdout.off('error', endWithReader).on('error', ignoreClosedReader);
}
