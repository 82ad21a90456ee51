/* Exchange and refresh on a small and on a large store, side by side. */
import { interleave, row } from '../harness/rounds.mjs';
import { costAtMost, costContender, redisRow, sqlRow } from './cost-contender.mjs';

const MAX_GROWTH = 1.15;
const count = (number) => number.toLocaleString('en');
const sizeOf = ({ keyCount, sessionCount }) => `${count(keyCount)} keys, ${count(sessionCount)} sessions`;

/** Exchanges begin sessions: without `before` the small store would soon be no small one. */
const LOADS = [
  { what: 'exchange', request: 'exchange', growsSmall: true, isBar: true },
  { what: 'refresh', request: 'refresh', growsSmall: false, isBar: true },
  // Of a million keys few are in the cache: what an exchange costs that has to ask the database.
  { what: 'exchange of any key', request: 'exchangeOfAny', growsSmall: true, isBar: false },
];

export async function compareSizes(bench, stores) {
  const rows = [];
  const bars = [];
  for (const { what, request, growsSmall, isBar } of LOADS) {
    const contenders = Object.entries(stores).map(([name, store]) =>
      costContender(name, {
        store,
        connections: bench.connections,
        next: store.requests[request],
        ...(growsSmall && name === 'small' && { before: store.resetSessions }),
      }),
    );
    const { small, large } = await interleave(contenders, bench);
    rows.push(row(`${what}, ${sizeOf(stores.small)}`, small));
    rows.push(row(`${what}, ${sizeOf(stores.large)}`, large, small));
    for (const rowOf of [redisRow, sqlRow]) rows.push(rowOf('small', small), rowOf('large', large));
    const growth = `${what}, ${sizeOf(stores.large)} / ${sizeOf(stores.small)}`;
    if (isBar) bars.push(costAtMost(growth, { samples: large, base: small, figure: 'tokenUs', bound: MAX_GROWTH }));
  }
  return { rows, bars };
}
