/* Token endpoints side by side, for the suites exchange and refresh. */
import { fileURLToPath } from 'node:url';
import { startKeyturn } from './keyturn.mjs';
import { startProgram } from './program.mjs';
import { atLeast, interleave, ratio, row } from './rounds.mjs';
import { loadContender } from './token-load.mjs';

const MEASURE_MS = 2_000;
const WARM_UP_MS = 2_500;

/** Every contender but Keyturn is a program of its own that says how it wants to be called. */
async function startCandidate(name, bench) {
  const { ready, ...program } = await startProgram({
    args: [fileURLToPath(new URL(`../candidates/${name}.mjs`, import.meta.url))],
    env: {
      NODE_ENV: 'production',
      REDIS_URL: bench.redisUrl,
      DATABASE_URL: await bench.database(`peer_${name.replaceAll('-', '_')}`),
      CONNECTIONS: String(bench.connections),
    },
  });
  return { ...program, ...ready };
}

async function startOurs(bench) {
  const keyturn = await startKeyturn({ databaseUrl: await bench.database('keyturn'), redisUrl: bench.redisUrl });
  const key = await keyturn.createKey({ name: 'bench' });
  return {
    port: keyturn.port,
    version: 'Keyturn',
    cpuUs: keyturn.cpuUs,
    stop: keyturn.stop,
    exchange: keyturn.exchange(key),
    refresh: await keyturn.refresh(key, bench.connections),
  };
}

/**
 * @param contenders names of candidates
 * @param clientsOf what the load sends to a server that said how it wants to be called
 * @param bars the least ratio of Keyturn's throughput to each named contender's
 */
export async function compareTokenEndpoints(bench, { contenders, clientsOf, bars }) {
  const servers = new Map([['keyturn', await startOurs(bench)]]);
  try {
    for (const name of ['floor', ...contenders]) servers.set(name, await startCandidate(name, bench));
    const loads = [...servers].map(([name, server]) =>
      loadContender(name, { ...server, clients: clientsOf(server), measureMs: MEASURE_MS, warmUpMs: WARM_UP_MS }),
    );
    const samples = await interleave(loads, bench);
    return {
      rows: [...servers].map(([name, { version }]) => row(`${name} (${version})`, samples[name], samples.keyturn)),
      bars: Object.entries(bars).map(([name, bound]) =>
        atLeast(`${bench.suite}: keyturn / ${name}`, ratio(samples.keyturn, samples[name]), bound),
      ),
    };
  } finally {
    await Promise.all([...servers.values()].map(({ stop }) => stop()));
  }
}
