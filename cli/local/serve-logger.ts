import type { Config } from '../../server/config.ts';
import { createLogger, type Logger } from '../../server/logging.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Output } from '../output.ts';

/**
 * The log of a process that serves, which also takes the faults that nobody caught.
 *
 * @param worker fields of every line of a worker
 */
export function createServeLogger(
  { logLevel }: Config,
  { isJson }: Output,
  worker: Readonly<Record<string, unknown>> | null = null,
): Logger {
  // stdout is then for the one JSON value.
  const logger = createLogger(logLevel, isJson ? process.stderr : process.stdout, worker);
  // Unhandled rejections arrive here too. The state is unknown: a fresh process is better.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'unexpected fault');
    process.exit(EXIT_CODES.failed);
  });
  return logger;
}
