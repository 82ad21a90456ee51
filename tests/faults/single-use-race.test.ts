import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Keyturn, startKeyturn } from '../support/keyturn-server.ts';
import {
  type KeyturnStorage,
  type KeyturnStorageKind,
  mariadbStorage,
  serverStorage,
  sqliteStorage,
} from '../support/keyturn-storage.ts';
import { createFormSender } from '../support/raw-http.ts';

const USES = 1000;

/** In the retry window each use asks the database for itself. */
const RETRIES = 200;
/** Thousand requests at once on a machine that is busy with other suites: some have no time left. Such a round counts for nothing. */
const LATE = '503 temporarily_unavailable';
/** To each instance: every use is in flight at once. */
const CONNECTIONS = USES / 2;

/** A suite of two instances on one store of its own, with the settings given. */
function twoInstances(kind: KeyturnStorageKind, environment: Record<string, string> = {}) {
  const sender = createFormSender(CONNECTIONS);
  const instances: Keyturn[] = [];
  let storage: KeyturnStorage | undefined;
  beforeAll(async () => {
    storage = await kind.open();
    for (const _ of ['first', 'second'])
      instances.push(await startKeyturn(storage, { environment, logLevel: 'error' }));
  });
  afterAll(async () => {
    sender.close();
    for (const instance of instances) await instance.close();
    await storage?.close();
  });

  const refresh = async (index: number, refreshToken: string) => {
    const { url } = instances[index % 2] as Keyturn;
    const { status, text } = await sender.send(url, { grant_type: 'refresh_token', refresh_token: refreshToken });
    const { error, refresh_token: successor } = JSON.parse(text);
    return { outcome: status === 200 ? '200' : `${status} ${error}`, successor: successor as string | undefined };
  };

  return {
    refresh,
    /** Uses one new refresh token so many times at once, half of them at each instance. */
    async race(uses: number) {
      const { body } = await (instances[0] as Keyturn).exchange();
      const replies = await Promise.all(Array.from({ length: uses }, (_, index) => refresh(index, body.refresh_token)));
      const counts: Record<string, number> = {};
      for (const { outcome } of replies) counts[outcome] = (counts[outcome] ?? 0) + 1;
      const successors = new Set(replies.flatMap(({ successor }) => successor ?? []));
      return { counts, successors: [...successors] };
    },
  };
}

const STORES = [
  { name: 'Redis', kind: serverStorage, rounds: 50 },
  { name: 'MariaDB', kind: mariadbStorage, rounds: 50 },
  // Writers of SQLite take turns on a lock of the file, so a round takes longer there.
  { name: 'SQLite', kind: sqliteStorage, rounds: 10 },
];

for (const { name, kind, rounds } of STORES) {
  if (kind === null) {
    it.skip(`1,000 uses of a refresh token on ${name} [NOT RUN: no such server could be had]`, () => {});
    continue;
  }

  describe(`1,000 uses of a refresh token at once, over two instances on one ${name}`, () => {
    const { race, refresh } = twoInstances(kind);

    it(`one is served, 999 are invalid_grant and the session has ended, ${rounds} times out of ${rounds}`, async () => {
      for (let round = 0, late = 0; round < rounds; ) {
        const { counts, successors } = await race(USES);
        // Two are never served, whatever else the machine does.
        expect(successors.length).toBeLessThanOrEqual(1);
        if (successors[0]) expect(await refresh(round, successors[0])).toMatchObject({ outcome: '400 invalid_grant' });
        if (LATE in counts && late < rounds) {
          late += 1;
          continue;
        }
        expect({ round, ...counts }).toEqual({ round, '200': 1, '400 invalid_grant': USES - 1 });
        round += 1;
      }
    }, 240_000);
  });

  describe(`the same within the retry window on one ${name}`, () => {
    const { race, refresh } = twoInstances(kind, { KEYTURN_REFRESH_RETRY_SECONDS: '30' });

    it('all get the same successor, which is good once', async () => {
      for (let round = 0, late = 0; round < 3; ) {
        const { counts, successors } = await race(RETRIES);
        expect(successors.length).toBeLessThanOrEqual(1);
        if (LATE in counts && late < 10) {
          late += 1;
          continue;
        }
        expect({ round, ...counts }).toEqual({ round, '200': RETRIES });
        expect(await refresh(round, successors[0] ?? '')).toMatchObject({ outcome: '200' });
        round += 1;
      }
    }, 60_000);
  });
}
