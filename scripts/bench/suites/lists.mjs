/* A hundred times the keys in a project: lists, filters and searches answer in the same time. */
import { startFilledProject } from '../growth/filled-project.mjs';
import { explainLists } from '../growth/list-plans.mjs';
import { makeRoom } from '../growth/roomy-server.mjs';
import { closedLoop, requestBytes } from '../harness/load.mjs';
import { atMost, interleave, ratio, row } from '../harness/rounds.mjs';

const MAX_GROWTH = 2;
const MEASURE_MS = 150;

/** One request at a time: what is compared is how long a person waits, not how many are served. */
async function contender(name, { keyturn, authorization, pathOf, get }, query) {
  const { data, next_cursor } = await get(pathOf(query));
  if (data.length === 0 && next_cursor === null) throw new Error(`nothing is found by ${pathOf(query)}`);
  const request = requestBytes({ method: 'GET', path: pathOf(query), headers: { authorization } });
  return {
    name,
    async measure() {
      const load = { port: keyturn.port, clients: [{ next: () => request }], durationMs: MEASURE_MS };
      const { requests, seconds } = await closedLoop(load);
      return { perSecond: requests / seconds };
    },
  };
}

async function compareReads({ suite, rounds }, stores, kind) {
  const rows = [];
  process.stderr.write(`${suite}: ${kind}\n`);
  let slowest = { growth: 0 };
  for (const what of Object.keys(stores.small.reads[kind])) {
    const contenders = [];
    for (const [name, store] of Object.entries(stores))
      contenders.push(await contender(name, store, store.reads[kind][what]));
    const { small, large } = await interleave(contenders, { rounds: Math.max(rounds, 3) });
    rows.push(row(`${kind}: ${what}, 1,000 keys`, small), row('… 100,000 keys', large, small));
    const growth = ratio(small, large);
    if (growth > slowest.growth) slowest = { growth, what };
  }
  const bar = `lists: time of ${kind}, 100,000 keys / 1,000, the slowest: ${slowest.what}`;
  return { rows, bars: [atMost(bar, slowest.growth, MAX_GROWTH)] };
}

export async function run(bench) {
  const room = await makeRoom(bench);
  const stores = {};
  try {
    stores.small = await startFilledProject(bench, { name: 'small', keyCount: 1_000 });
    stores.large = await startFilledProject(bench, { name: 'large', keyCount: 100_000 });
    const parts = [];
    for (const kind of Object.keys(stores.small.reads)) parts.push(await compareReads(bench, stores, kind));
    parts.push(await explainLists(stores.large));
    return { rows: parts.flatMap(({ rows }) => rows), bars: parts.flatMap(({ bars }) => bars) };
  } finally {
    for (const store of Object.values(stores)) await store.stop();
    await room.giveBack();
  }
}
