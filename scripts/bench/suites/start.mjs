/* `npm start` in a folder that has data: how long until it serves, and what it takes of memory when it has nothing to do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../services.mjs';
import { closedLoop } from '../harness/load.mjs';
import { startProgram } from '../harness/program.mjs';
import { atMost, figureRow, median } from '../harness/rounds.mjs';
import { exchangeClients } from '../harness/token-load.mjs';

const keyturn = fileURLToPath(new URL('../../../cli/keyturn.mjs', import.meta.url));
const KEYS = 100;
/** Every exchange leaves a session behind. */
const FILL_MS = 3_000;
const IDLE_MS = 3_000;
const MB = 2 ** 20;

async function post(port, resource, { headers, body }) {
  const response = await fetch(`http://127.0.0.1:${port}${resource}`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`POST ${resource}: ${response.status} ${await response.text()}`);
  return response.json();
}

const exchangeOf = (secret) => ({
  path: '/oauth/token',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: `grant_type=client_credentials&client_secret=${secret}`,
});

/** What the first start left behind: signing keys, API keys, an audit trail, live sessions. */
async function fill({ port, ready }) {
  const { client_secret } = ready.bootstrapped;
  const { access_token } = await post(port, '/oauth/token', exchangeOf(client_secret));
  const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
  for (let number = 0; number < KEYS; number += 1) {
    const key = { name: `key ${number}`, permissions: ['read:credential/prod-db', 'create:backup'] };
    await post(port, '/v1/projects/default/keys', { headers, body: JSON.stringify(key) });
  }
  await closedLoop({ port, clients: exchangeClients(exchangeOf(client_secret), 8), durationMs: FILL_MS });
}

/** Until it says so, and `/readyz`, which asks every store, agrees. */
async function start(folder) {
  const [port] = await freePorts(1);
  const startedMs = performance.now();
  const program = await startProgram({ args: [keyturn, 'serve', '--json'], env: { PORT: String(port) }, cwd: folder });
  const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
  if (status !== 200) throw new Error(`/readyz answered ${status} after the line that says it is ready`);
  return { ...program, port, seconds: (performance.now() - startedMs) / 1000, startCpuUs: program.cpuUs() };
}

async function measureStart(folder) {
  const program = await start(folder);
  await delay(IDLE_MS);
  const idleMb = program.memory() / MB;
  await program.stop();
  return { seconds: program.seconds, cpuUs: program.startCpuUs, idleMb };
}

export async function run(bench) {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-bench-start-'));
  try {
    const first = await start(folder);
    await fill(first);
    await first.stop();
    // The first start with data is a warm-up: from then on the files are in the page cache, as after any restart.
    await (await start(folder)).stop();
    const starts = [];
    for (let round = 1; round <= bench.rounds; round += 1) {
      bench.onRound(round);
      starts.push(await measureStart(folder));
    }
    const seconds = starts.map((one) => one.seconds);
    const idleMb = starts.map((one) => one.idleMb);
    return {
      rows: [
        { ...figureRow('start to ready, existing data, s', seconds), cpu_us: median(starts.map(({ cpuUs }) => cpuUs)) },
        figureRow('RSS when idle, MB', idleMb),
        figureRow('first start, empty folder, s', [first.seconds]),
      ],
      bars: [
        atMost('start: seconds to ready, existing data', median(seconds), 1.5),
        atMost('start: idle RSS, MB', median(idleMb), 130),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
