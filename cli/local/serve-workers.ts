/** Several processes on one port: this one prepares the store, starts them and watches over them, and serves nothing. */
import cluster from 'node:cluster';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../server/config.ts';
import type { Logger } from '../../server/logging.ts';
import { prepareStore } from '../../server/main.ts';
import type { Serving } from './serving.ts';
import { Workers } from './workers.ts';

/** From the sources or from `dist/`, as this file. */
const ENTRY = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

function setUpCluster(): void {
  // Connections are handed out from here, in turn. Were each worker to accept for itself (SCHED_NONE), one of two got 29
  // of 32 that came while there was little to do, and kept them: proxies keep their connections for long.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // Not keyturn.mjs, which compiles what is stale: a worker that replaces a crashed one must not need a compiler.
  cluster.setupPrimary({ exec: ENTRY });
}

export function createManyProcesses(config: Config, logger: Logger, count: number): Serving {
  setUpCluster();
  const workers = new Workers(count, logger);
  return {
    async start() {
      const store = await prepareStore(config, logger);
      try {
        const port = await workers.start();
        // Last, because the key is shown once: nothing after this may fail.
        const bootstrapped = await store.finish();
        logger.info({ host: config.host, port, issuer: config.issuer, workers: count }, 'ready');
        return { port, bootstrapped };
      } catch (error) {
        await Promise.all([workers.kill(), store.abandon()]);
        throw error;
      }
    },
    stop: () => workers.stop(),
    restart: () => void workers.restart(),
    kill: () => workers.kill(),
    failed: workers.failed,
  };
}
