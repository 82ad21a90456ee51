import { composeStorage, type Storage } from '../../server/compose-storage.ts';
import { type Config, parseConfig } from '../../server/config.ts';
import { createLogger, type Logger } from '../../server/logging.ts';
import type { Output } from '../output.ts';

/** What the stores have to say becomes notes; with `--json` only errors are said, as they are. */
function createNoteLogger(output: Output): Logger {
  if (output.isJson) return createLogger('error', process.stderr);
  return createLogger('info', {
    write(line) {
      const { level, time, msg, err, ...details } = JSON.parse(line);
      const reason = err === undefined ? [] : [err.message];
      const values = Object.values(details).filter((value) => typeof value !== 'object');
      output.note([msg, ...reason, ...values].join(': '));
    },
  });
}

/**
 * Opens what the settings name, lends it, and closes it.
 *
 * @throws {ConfigError} when the settings are wrong.
 */
export async function withStorage<T>(
  output: Output,
  work: (storage: Storage, config: Config) => Promise<T>,
): Promise<T> {
  const config = parseConfig(process.env);
  const storage = composeStorage(config, { logger: createNoteLogger(output) });
  try {
    return await work(storage, config);
  } finally {
    await storage.close();
  }
}
