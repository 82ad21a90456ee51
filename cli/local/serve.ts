import path from 'node:path';
import type { Bootstrapped } from '../../server/access-control/bootstrap.ts';
import { type Config, parseConfig } from '../../server/config.ts';
import { createLogger, type Logger } from '../../server/logging.ts';
import { type RunningService, startService } from '../../server/main.ts';
import { outliveReaders } from '../closed-reader.ts';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { bootstrappedJson } from './bootstrapped-json.ts';
import { makeTokensFile, quickstartLines, quickstartText } from './quickstart.ts';

/** npm passes Ctrl-C on to a process that the terminal has told already: what comes this soon after is the same one. */
const SAME_SIGNAL_MS = 500;

/** A drain that failed is an exit code of its own, so that whoever restarts us sees it. */
async function drain(service: RunningService, logger: Logger): Promise<never> {
  try {
    await service.stop();
  } catch (error) {
    logger.error({ err: error }, 'did not stop cleanly');
    process.exit(EXIT_CODES.failed);
  }
  logger.info('stopped');
  process.exit(EXIT_CODES.ok);
}

/** The first SIGTERM or SIGINT drains, a second one ends at once; so does one that comes before the service runs. */
function handleSignals(logger: Logger): { running(service: RunningService): void } {
  let service: RunningService | null = null;
  let drainedSinceMs: number | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (drainedSinceMs !== null && nowMs - drainedSinceMs < SAME_SIGNAL_MS) return;
    if (service === null || drainedSinceMs !== null) {
      logger.warn({ signal }, 'ending at once');
      process.exit(EXIT_CODES.failed);
    }
    drainedSinceMs = nowMs;
    logger.info({ signal }, 'draining');
    void drain(service, logger);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    running(started) {
      service = started;
    },
  };
}

/** What listen() refuses, in words that name the setting; anything else as it came. */
function explainListenError(error: unknown, { port, opsPort, host }: Config): unknown {
  const { code, syscall, port: refused } = error as NodeJS.ErrnoException & { port?: number };
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return error;
  const setting = refused !== port && refused === opsPort ? 'KEYTURN_OPS_PORT' : 'PORT';
  if (code === 'EADDRINUSE') {
    const message = `${setting} ${refused} is in use: end what listens there, or set ${setting} to another one`;
    return new CommandFailure(EXIT_CODES.failed, 'port_in_use', message, { setting });
  }
  const advice = code === 'EACCES' ? `choose a ${setting} from 1024 up` : 'HOST must be an address of this machine';
  const message = `can't listen on ${host}, port ${refused ?? port} (${code}): ${advice}`;
  return new CommandFailure(EXIT_CODES.failed, 'cannot_listen', message, { setting });
}

function announce(output: Output, { issuer, masterKeyPath }: Config, port: number, made: Bootstrapped | null): void {
  if (output.isJson) {
    const bootstrapped = made && bootstrappedJson(made);
    output.result({ issuer, port, bootstrapped }, '');
  } else if (made !== null) {
    const tokensFile = path.join(path.dirname(masterKeyPath), 'quickstart.json');
    output.result(made, quickstartText(issuer, made, quickstartLines(issuer, made.clientSecret, tokensFile)));
    // After the key is shown: a disk that refuses this must not cost it.
    makeTokensFile(tokensFile);
  }
}

export async function serve(output: Output): Promise<void> {
  outliveReaders();
  const config = parseConfig(process.env);
  // stdout is then for the one JSON value.
  const logger = createLogger(config.logLevel, output.isJson ? process.stderr : process.stdout);
  // Unhandled rejections arrive here too. The state is unknown: a fresh process is better.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'unexpected fault');
    process.exit(EXIT_CODES.failed);
  });
  const signals = handleSignals(logger);
  try {
    const service = await startService(config, logger);
    announce(output, config, service.port, service.bootstrapped);
    signals.running(service);
  } catch (error) {
    throw explainListenError(error, config);
  }
}
