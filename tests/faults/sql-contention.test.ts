import { expect, it } from '@jest/globals';
import { describeOn } from '../support/services.ts';
import { sqlDatabases } from '../support/sql-databases.ts';

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
