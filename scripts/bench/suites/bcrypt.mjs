/* A flood of wrong chosen secrets, each of which costs bcrypt a fifth of a second of a core: what do the others notice? */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { tokenRequest } from '../bcrypt/token-request.mjs';
import { startKeyturn } from '../harness/keyturn.mjs';
import { openConnection, openLoop, requestBytes } from '../harness/load.mjs';
import { atMost, figureRow, interleave, percentile, ratio } from '../harness/rounds.mjs';

const EXCHANGES_PER_SECOND = 300;
const WRONG_PER_SECOND = 500;
const RIGHT_PER_SECOND = 20;
const WINDOW_MS = 2_000;
/** More windows, and short ones: a 99th percentile suffers most from whatever else the machine does. */
const WINDOWS_A_ROUND = 1.5;
/** Begins every window, quiet or not, and is not judged: connections are opened in it, which nobody's secrets are to blame for. */
const SETTLING_MS = 400;

/** Once, before the load: from then on it is remembered as proven. */
async function prove(port, { client_id, client_secret }) {
  const connection = await openConnection(port);
  const { status } = await connection.send(tokenRequest(client_id, client_secret));
  connection.close();
  if (status !== 200) throw new Error(`a right chosen secret was answered ${status}`);
}

/** Steady requests of clients in good standing: every answer must be 200. */
async function goodTraffic(port, bytes, perSecond) {
  const latenciesMs = [];
  await openLoop({
    port,
    next: () => bytes,
    perSecond,
    durationMs: WINDOW_MS,
    onAnswer(status, latencyMs, { sentMs }) {
      if (status !== 200) throw new Error(`an exchange in good standing was answered ${status}`);
      if (sentMs >= SETTLING_MS) latenciesMs.push(latencyMs);
    },
  });
  return latenciesMs;
}

function createFlood(port) {
  const thread = new Worker(new URL('../bcrypt/flood.mjs', import.meta.url));
  return {
    /** @param clientId whose secret is guessed; null: that of others who do not exist */
    async run(clientId) {
      thread.postMessage({ port, clientId, perSecond: WRONG_PER_SECOND, durationMs: WINDOW_MS });
      // Rejects when the thread fails.
      const [answers] = await once(thread, 'message');
      return answers;
    },
    end: () => thread.terminate(),
  };
}

/** @param attack null: none */
function window(name, { keyturn, generated, chosen, attack }) {
  return {
    name,
    async measure() {
      const { port } = keyturn;
      const [exchangesMs, rememberedMs, answers] = await Promise.all([
        goodTraffic(port, requestBytes(keyturn.exchange(generated)), EXCHANGES_PER_SECOND),
        goodTraffic(port, tokenRequest(chosen.client_id, chosen.client_secret), RIGHT_PER_SECOND),
        attack?.(),
      ]);
      return {
        p50: percentile(exchangesMs, 0.5),
        p99: percentile(exchangesMs, 0.99),
        rememberedP99: percentile(rememberedMs, 0.99),
        ...answers,
      };
    },
  };
}

function report(samples) {
  const { quiet, ...attacks } = samples;
  const rows = Object.entries(samples).flatMap(([name, windows]) => [
    figureRow(
      `p50 of exchanges, ${name}, ms`,
      windows.map(({ p50 }) => p50),
    ),
    {
      ...figureRow(
        `p99 of exchanges, ${name}, ms`,
        windows.map(({ p99 }) => p99),
      ),
      ratio: round2(ratio(windows, quiet, 'p99')),
    },
    figureRow(
      `p99 with a chosen, remembered secret, ${name}, ms`,
      windows.map(({ rememberedP99 }) => rememberedP99),
    ),
  ]);
  const bars = [];
  for (const [name, windows] of Object.entries(attacks)) {
    const share = (answer) =>
      windows.map((window) => (100 * window[answer]) / (window.refused + window.busy + window.other));
    rows.push(
      figureRow(`answers of 429, ${name}, %`, share('busy')),
      figureRow(`answers of 401, ${name}, %`, share('refused')),
    );
    bars.push(atMost(`bcrypt: p99 of exchanges, ${name} / quiet`, ratio(windows, quiet, 'p99'), 2));
  }
  const others = Object.values(attacks)
    .flat()
    .reduce((sum, { other }) => sum + other, 0);
  bars.push(atMost('bcrypt: wrong secrets answered neither 401 nor 429 with Retry-After', others, 0));
  return { rows, bars };
}

const round2 = (value) => Math.round(value * 100) / 100;

export async function run(bench) {
  const keyturn = await startKeyturn({ databaseUrl: await bench.database('keyturn'), redisUrl: bench.redisUrl });
  const flood = createFlood(keyturn.port);
  try {
    const generated = await keyturn.createKey({ name: 'bench' });
    const chosen = await keyturn.createKey({ name: 'chosen', client_secret: 'Chosen-Secret-0815' });
    await prove(keyturn.port, chosen);
    const shared = { keyturn, generated, chosen };
    const rounds = Math.ceil(WINDOWS_A_ROUND * bench.rounds);
    const contenders = [
      window('quiet', { ...shared, attack: null }),
      window('500 wrong secrets/s for one client', { ...shared, attack: () => flood.run(chosen.client_id) }),
      window('500 wrong secrets/s for strangers', { ...shared, attack: () => flood.run(null) }),
    ];
    return report(await interleave(contenders, { ...bench, rounds }));
  } finally {
    await flood.end();
    await keyturn.stop();
  }
}
