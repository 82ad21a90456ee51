import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SqlSigningKeyStore } from '../../db/sql/sql-signing-key-store.ts';
import type { SigningKey } from '../../server/signing-keys/signing-key.ts';
import { type OpenSqlDatabase, sqlDatabases } from '../support/sql-databases.ts';

function aSigningKey(sequence: number, changes: Partial<SigningKey> = {}): SigningKey {
  return {
    kid: `kid-${sequence}`,
    sequence,
    algorithm: 'ES256',
    publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: `kid-${sequence}`, alg: 'ES256', use: 'sig' },
    encryptedPrivateKey: 'v1.'.padEnd(4000, 'A'),
    createdAtMs: 1_763_652_000_000 + sequence,
    activeFromMs: 1_763_652_060_000 + sequence,
    retiringFromMs: null,
    retiredFromMs: null,
    ...changes,
  };
}

describe.each(sqlDatabases)('SigningKeyStore on $name', ({ open }) => {
  let sql: OpenSqlDatabase;
  let store: SqlSigningKeyStore;

  beforeEach(async () => {
    sql = await open();
    store = new SqlSigningKeyStore(sql.database);
  });
  afterEach(() => sql.close());

  it('lists what was added, by sequence', async () => {
    const keys = [1, 2, 10].map((sequence) => aSigningKey(sequence));
    for (const key of keys.toReversed()) expect(await store.add(key, [])).toBe(true);
    expect(await store.list()).toEqual(keys);
  });

  it('retires the predecessor with the addition, and passes over unknown kids', async () => {
    const ending = { retiringFromMs: 5_000_000_000_000, retiredFromMs: 6_000_000_000_000 };
    await store.add(aSigningKey(1), []);
    await store.add(aSigningKey(2), [
      { kid: 'kid-1', ...ending },
      { kid: 'unknown', ...ending },
    ]);
    expect(await store.list()).toEqual([aSigningKey(1, ending), aSigningKey(2)]);
  });

  it('changes nothing when the sequence is taken', async () => {
    await store.add(aSigningKey(1), []);
    const late = aSigningKey(1, { kid: 'late' });
    expect(await store.add(late, [{ kid: 'kid-1', retiringFromMs: 1, retiredFromMs: 2 }])).toBe(false);
    expect(await store.list()).toEqual([aSigningKey(1)]);
  });

  it('does not take a repeated kid for a taken sequence', async () => {
    await store.add(aSigningKey(1), []);
    await expect(store.add(aSigningKey(2, { kid: 'kid-1' }), [])).rejects.toThrow();
    expect(await store.list()).toEqual([aSigningKey(1)]);
  });

  it('never takes a revocation back', async () => {
    const revoked = { retiringFromMs: 7, retiredFromMs: 7 };
    const later = { retiringFromMs: 100, retiredFromMs: 200 };
    await store.add(aSigningKey(1, later), []);
    await store.retire([{ kid: 'kid-1', ...revoked }]);
    await store.retire([{ kid: 'kid-1', ...later }]);
    await store.add(aSigningKey(2), [{ kid: 'kid-1', ...later }]);
    expect(await store.list()).toEqual([aSigningKey(1, revoked), aSigningKey(2)]);
  });

  it('lets one of ten parallel additions have a sequence', async () => {
    await store.add(aSigningKey(1), []);
    const added = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        store.add(aSigningKey(2, { kid: `rival-${i}` }), [{ kid: 'kid-1', retiringFromMs: i, retiredFromMs: i + 10 }]),
      ),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
    const winner = added.indexOf(true);
    expect(await store.list()).toMatchObject([{ retiringFromMs: winner }, { kid: `rival-${winner}` }]);
  });
});
