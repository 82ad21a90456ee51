import { expect, it } from '@jest/globals';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { migrateToHead } from '../../db/sql/migrate.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { startMariadb } from '../../scripts/services.mjs';
import type { ApiKey } from '../../server/api-keys/api-key.ts';
import { anApiKey, anEvent, anInstallation, aTrail, changing, deleting } from '../contract/api-key-store-records.ts';
import { describeOn, describeWithOwn } from '../support/services.ts';
import { onMariadb, sqlDatabases } from '../support/sql-databases.ts';

describeOn('mariadb', 'Deadlock (1213)', () => {
  it('is repeated without a partial row', async () => {
    const mariadb = sqlDatabases.find(({ name }) => name === 'MariaDB');
    if (!mariadb) throw new Error('no MariaDB in this run');
    const sql = await mariadb.open();
    const project = (id: string) => ({ id, slug: id, name: id, audiences: '0', created_at_ms: 0 });
    await sql.database.run((knex) => knex('projects').insert([project('a'), project('b')]));
    let attempts = 0;
    let bothHoldOne = () => {};
    const barrier = new Promise<void>((resolve) => {
      bothHoldOne = resolve;
    });
    const inOrder = (first: string, second: string) =>
      sql.database.transaction(async (trx) => {
        await trx('projects').where({ id: first }).increment('created_at_ms', 1);
        if (++attempts === 2) bothHoldOne();
        await barrier;
        await trx('projects').where({ id: second }).increment('created_at_ms', 1);
      });
    await Promise.all([inOrder('a', 'b'), inOrder('b', 'a')]);
    expect(attempts).toBe(3);
    expect(await sql.database.run((knex) => knex('projects').orderBy('id').pluck('created_at_ms'))).toEqual([2, 2]);
    await sql.close();
  });
});

describeWithOwn('mariadb', 'Snapshot isolation (1020), the default from MariaDB 11.6 on', () => {
  it('refuses none of 50 keys that two instances make, revoke and delete at once', async () => {
    const server = await startMariadb();
    const databases = [openDatabase(server.url), openDatabase(server.url)];
    try {
      // A server that does not know it can't refuse for it either.
      await onMariadb(server.url, 'SET GLOBAL innodb_snapshot_isolation = ON').catch(() => {});
      const [database] = databases as [Database];
      await migrateToHead(database);
      const installation = anInstallation();
      await new SqlProjectStore(database, aTrail()).bootstrap(installation);
      const projectId = installation.project.id;
      const keys = Array.from({ length: 50 }, () => anApiKey({ projectId }));
      const stores = databases.map((each) => new SqlApiKeyStore(each, aTrail()));
      /** Why changes were not made; a busy machine may have had no time for some. */
      async function refusals(change: (store: SqlApiKeyStore, key: ApiKey) => Promise<unknown>) {
        const made = keys.map((key, index) => change(stores[index % 2] as SqlApiKeyStore, key));
        const outcomes = await Promise.allSettled(made);
        const causes = outcomes.map((outcome) =>
          outcome.status === 'rejected' ? outcome.reason.cause?.message : null,
        );
        return causes.filter((cause) => cause !== null && cause !== 'CALL_TIMEOUT');
      }
      expect(await refusals((store, key) => store.insert(key, anEvent(key)))).toEqual([]);
      const edit = (id: string) => changing({ name: `edited ${id}`, effectivePermissions: ['of:all'] });
      expect(await refusals((store, { id }) => store.update(projectId, id, edit(id)))).toEqual([]);
      expect(await refusals((store, { id }) => store.delete(projectId, [id], deleting))).toEqual([]);
      expect(await new SqlChangeStore(database).latest()).toBeGreaterThan(0);
    } finally {
      for (const database of databases) await database.close();
      await server.stop();
    }
  });
});
