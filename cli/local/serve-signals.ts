import { isatty } from 'node:tty';
import type { Logger } from '../../server/logging.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Serving } from './serving.ts';

/** npm passes Ctrl-C on to a process that the terminal has told already: what comes this soon after is the same one. */
const SAME_SIGNAL_MS = 500;

/** A drain that failed is an exit code of its own, so that whoever restarts us sees it. */
async function drain(serving: Serving, logger: Logger): Promise<never> {
  try {
    await serving.stop();
  } catch (error) {
    logger.error({ err: error }, 'did not stop cleanly');
    process.exit(EXIT_CODES.failed);
  }
  logger.info('stopped');
  process.exit(EXIT_CODES.ok);
}

/** Of one that was closed it is no longer said that it is one. */
const hasTerminal = (): boolean => [0, 1, 2].some((descriptor) => isatty(descriptor));

/**
 * The first SIGTERM or SIGINT drains, a second one ends at once; so does one that comes before the service runs. SIGHUP
 * restarts, unless it says that the terminal was closed: then it is as SIGTERM.
 */
export function handleSignals(serving: Serving, logger: Logger): { running(): void } {
  const hadTerminal = hasTerminal();
  let isRunning = false;
  let drainedSinceMs: number | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (drainedSinceMs !== null && nowMs - drainedSinceMs < SAME_SIGNAL_MS) return;
    if (!isRunning || drainedSinceMs !== null) {
      logger.warn({ signal }, 'ending at once');
      void serving.kill();
      process.exit(EXIT_CODES.failed);
    }
    drainedSinceMs = nowMs;
    logger.info({ signal }, 'draining');
    void drain(serving, logger);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => {
    if (hadTerminal && !hasTerminal()) onSignal('SIGHUP');
    else if (isRunning && drainedSinceMs === null) serving.restart();
  });
  return {
    running() {
      isRunning = true;
    },
  };
}
