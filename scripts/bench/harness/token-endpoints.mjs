/* Token endpoints side by side, for the suites exchange and refresh. */
import { createPublicKey, verify } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startKeyturn } from './keyturn.mjs';
import { openConnection } from './load.mjs';
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
    publicJwk: await keyturn.publicJwk(),
    exchange: keyturn.exchange(key),
    refresh: await keyturn.refresh(key, bench.connections),
  };
}

const ACCESS_TOKEN_SECONDS = 7_200;
const decode = (segment) => JSON.parse(Buffer.from(segment, 'base64url'));

/** One request as the load sends it: an ES256 JWT for two hours has to come back, or what is measured is something else. */
async function assertTokens(name, { port, publicJwk }, [client]) {
  const connection = await openConnection(port);
  const { body } = await connection.send(client.next());
  connection.close();
  client.answered?.(body);
  const { access_token, token = access_token } = JSON.parse(body);
  const [header, payload, signature] = token.split('.');
  const { iat, exp } = decode(payload);
  const isFit = decode(header).alg === 'ES256' && exp - iat === ACCESS_TOKEN_SECONDS;
  const key = publicJwk && {
    key: createPublicKey({ key: publicJwk, format: 'jwk' }),
    dsaEncoding: 'ieee-p1363',
  };
  const isSigned =
    !key || verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
  if (!isFit || !isSigned) throw new Error(`${name} does not answer with the token that is asked for`);
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
    const loads = [];
    for (const [name, server] of servers) {
      const clients = clientsOf(server);
      await assertTokens(name, server, clients);
      loads.push(loadContender(name, { ...server, clients, measureMs: MEASURE_MS, warmUpMs: WARM_UP_MS }));
    }
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
