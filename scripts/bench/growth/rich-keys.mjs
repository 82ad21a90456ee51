/* Keys that hold many permissions, or may be used from many addresses. */
import { requestBytes } from '../harness/load.mjs';
import { row } from '../harness/rounds.mjs';
import { costAtMost, costContender, interleaveShort, SHORT } from './cost-contender.mjs';

const MANY = 100;
const MAX_GROWTH = 1.5;
const numbers = (count) => Array.from({ length: count }, (_, index) => index + 1);

const permissionsOf = (count) =>
  numbers(count).map((number) => `read:credential/prod-db-${String(number).padStart(3, '0')}`);
/** The load's own address comes last. */
const allowlistOf = (count) => [...numbers(count - 1).map((number) => `203.0.113.${number}`), '127.0.0.1'];

const KEYS = {
  plain: { permissions: permissionsOf(1), ip_allowlist: allowlistOf(1) },
  [`${MANY} permissions`]: { permissions: permissionsOf(MANY), ip_allowlist: allowlistOf(1) },
  [`${MANY} allowlist entries`]: { permissions: permissionsOf(1), ip_allowlist: allowlistOf(MANY) },
};

export async function compareRichKeys(bench, store) {
  const contenders = [];
  for (const [name, fields] of Object.entries(KEYS)) {
    const request = requestBytes(store.keyturn.exchange(await store.keyturn.createKey({ name, ...fields })));
    contenders.push(costContender(name, { store, connections: bench.connections, next: () => request, ...SHORT }));
  }
  const { plain, ...rich } = await interleaveShort(contenders, bench);
  return {
    rows: [
      row('exchange, 1 permission, 1 allowlist entry', plain),
      ...Object.entries(rich).map(([name, samples]) => row(`exchange, ${name}`, samples, plain)),
    ],
    bars: Object.entries(rich).map(([name, samples]) =>
      costAtMost(`exchange, ${name} / 1`, { samples, base: plain, figure: 'tokenUs', bound: MAX_GROWTH }),
    ),
  };
}
