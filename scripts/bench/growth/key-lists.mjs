/* The management API's reads of keys, on a small and on a large store. */
import { requestBytes } from '../harness/load.mjs';
import { row } from '../harness/rounds.mjs';
import { costAtMost, costContender, interleaveShort, SHORT, sqlRow } from './cost-contender.mjs';
import { keyIdOf } from './numbered-keys.mjs';

/** People and consoles ask these, not every automation of every customer. */
const CONNECTIONS = 4;
const MAX_GROWTH = 1.15;

const cursorOf = (keyId) => Buffer.from(JSON.stringify(['created_at', null, keyId])).toString('base64url');
const READS = {
  'list, first page': () => '',
  'list, a page after nine tenths': (keyCount) => `?cursor=${cursorOf(keyIdOf(0.9 * keyCount))}`,
  'one key': (keyCount) => `/${keyIdOf(0.7 * keyCount)}`,
};

export async function compareLists(bench, stores) {
  const rows = [];
  const bars = [];
  const headers = {};
  for (const [name, { call }] of Object.entries(stores)) headers[name] = { authorization: await call.authorization() };
  for (const [what, pathOf] of Object.entries(READS)) {
    const contenders = Object.entries(stores).map(([name, store]) => {
      const path = `/v1/projects/default/keys${pathOf(store.keyCount)}`;
      const request = requestBytes({ method: 'GET', path, headers: headers[name] });
      return costContender(name, { store, connections: CONNECTIONS, next: () => request, ...SHORT });
    });
    const { small, large } = await interleaveShort(contenders, bench);
    rows.push(row(`${what}, small`, small), row(`${what}, large`, large, small));
    rows.push(sqlRow('small', small), sqlRow('large', large));
    bars.push(
      costAtMost(`${what}, large / small`, { samples: large, base: small, figure: 'managementUs', bound: MAX_GROWTH }),
    );
  }
  return { rows, bars };
}
