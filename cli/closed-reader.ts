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

/** From now on no trouble of the log ends the process, a full disk either: a service has clients, whoever reads its log. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => {});
}
