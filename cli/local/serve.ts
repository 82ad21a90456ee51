import path from 'node:path';
import type { Bootstrapped } from '../../server/access-control/bootstrap.ts';
import { type Config, parseConfig } from '../../server/config.ts';
import type { Logger } from '../../server/logging.ts';
import { type RunningService, startService } from '../../server/main.ts';
import { outliveReaders } from '../closed-reader.ts';
import type { Output } from '../output.ts';
import { bootstrappedJson } from './bootstrapped-json.ts';
import { explainListenError } from './listen-failure.ts';
import { makeTokensFile, quickstartLines, quickstartText } from './quickstart.ts';
import { createServeLogger } from './serve-logger.ts';
import { handleSignals } from './serve-signals.ts';
import { serveAsWorker, workerNumber } from './serve-worker.ts';
import { createManyProcesses } from './serve-workers.ts';
import type { Serving } from './serving.ts';

function createOneProcess(config: Config, logger: Logger): Serving {
  let service: RunningService | null = null;
  return {
    async start() {
      service = await startService(config, logger);
      return service;
    },
    async stop() {
      await service?.stop();
    },
    restart() {
      logger.info('one process has nobody to take over while it restarts: serve --workers 2 would');
    },
    async kill() {},
    failed: new Promise<never>(() => {}),
  };
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

/** Lines that wait for company would come after what is said next: the first key, or why there is no service. */
const written = (logger: Logger): Promise<void> => new Promise((resolve) => logger.flush(() => resolve()));

/** @throws {CommandFailure} when it can't start, or can't go on. */
export async function serve(output: Output, { workers }: { readonly workers: number }): Promise<void> {
  outliveReaders();
  const number = workerNumber();
  if (number !== null) return serveAsWorker(number, output);

  const config = parseConfig(process.env);
  const logger = createServeLogger(config, output);
  const serving = workers === 1 ? createOneProcess(config, logger) : createManyProcesses(config, logger, workers);
  const signals = handleSignals(serving, logger);
  try {
    const { port, bootstrapped } = await serving.start();
    await written(logger);
    announce(output, config, port, bootstrapped);
    signals.running();
    await serving.failed;
  } catch (error) {
    await serving.kill();
    await written(logger);
    throw explainListenError(error, config);
  }
}
