/* `serve --workers 2` beside one process. The bar is measured at an even rate for each worker that leaves the load and the stores
   room on the same cores; the row under as much load as it takes shows what is left when they compete for two. */
import { startKeyturn } from '../harness/keyturn.mjs';
import { closedLoop, openLoop, requestBytes } from '../harness/load.mjs';
import { atMost, interleave, ratio, row } from '../harness/rounds.mjs';
import { exchangeClients } from '../harness/token-load.mjs';

const PER_WORKER_PER_SECOND = 1_500;
const CONNECTIONS_PER_WORKER = 16;
const MEASURE_MS = 3_000;
const WARM_UP_MS = 3_000;

async function startWorkers(bench, workers) {
  const keyturn = await startKeyturn({
    databaseUrl: await bench.database(`workers_${workers}`),
    redisUrl: bench.redisUrl,
    args: ['--workers', String(workers)],
  });
  const exchange = keyturn.exchange(await keyturn.createKey({ name: 'bench' }));
  return { keyturn, exchange, workers, connections: workers * CONNECTIONS_PER_WORKER };
}

/** An even rate, the same for each worker. */
function paced({ keyturn, exchange, workers, connections }) {
  const bytes = requestBytes(exchange);
  return async (isWarmUp) => {
    const durationMs = isWarmUp ? WARM_UP_MS : MEASURE_MS;
    const cpuBeforeUs = keyturn.cpuUs();
    let requests = 0;
    const onAnswer = (status) => {
      if (status !== 200) throw new Error(`an answer of ${status} under load`);
      requests += 1;
    };
    const perSecond = workers * PER_WORKER_PER_SECOND;
    await openLoop({ port: keyturn.port, next: () => bytes, perSecond, durationMs, connections, onAnswer });
    return { perSecond: (requests / durationMs) * 1000, cpuUs: (keyturn.cpuUs() - cpuBeforeUs) / requests };
  };
}

/** As much as it takes. */
function saturated({ keyturn, exchange, connections }) {
  const clients = exchangeClients(exchange, connections);
  return async (isWarmUp) => {
    const cpuBeforeUs = keyturn.cpuUs();
    const durationMs = isWarmUp ? WARM_UP_MS : MEASURE_MS / 2;
    const { requests, seconds } = await closedLoop({ port: keyturn.port, clients, durationMs });
    return { perSecond: requests / seconds, cpuUs: (keyturn.cpuUs() - cpuBeforeUs) / requests };
  };
}

export async function run(bench) {
  const one = await startWorkers(bench, 1);
  const two = await startWorkers(bench, 2);
  try {
    const samples = await interleave(
      [
        { name: 'one, paced', measure: paced(one) },
        { name: 'two, paced', measure: paced(two) },
        { name: 'one, saturated', measure: saturated(one) },
        { name: 'two, saturated', measure: saturated(two) },
      ],
      bench,
    );
    const rate = `${PER_WORKER_PER_SECOND}/s a worker`;
    return {
      rows: [
        row(`one worker, ${rate}`, samples['one, paced'], samples['one, paced']),
        row(`two workers, ${rate}`, samples['two, paced'], samples['one, paced']),
        row('one worker, as much as it takes', samples['one, saturated'], samples['one, saturated']),
        row('two workers, as much as they take', samples['two, saturated'], samples['one, saturated']),
      ],
      bars: [
        atMost(
          'CPU per exchange, two workers / one',
          ratio(samples['two, paced'], samples['one, paced'], 'cpuUs'),
          1.1,
        ),
      ],
    };
  } finally {
    await one.keyturn.stop();
    await two.keyturn.stop();
  }
}
