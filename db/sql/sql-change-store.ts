import type { Knex } from 'knex';
import type { ChangeStore } from '../../server/changes/change-store.ts';
import type { Database } from './database.ts';

const COUNTER = { name: 'changes' };
/** Whoever is further behind forgets everything, which costs a read for each key in use. */
const MAX_TOLD = 1_000;
/** An instance that was asleep for longer than it takes to make these forgets everything, too. */
const KEPT = 10_000;
/** SQLite takes a few hundred rows in a statement. */
const ROWS_PER_INSERT = 100;

export class SqlChangeStore implements ChangeStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async latest(): Promise<number> {
    return this.#database.run(readCounter);
  }

  async changedObjects(after: number, upTo: number): Promise<readonly string[] | null> {
    const count = upTo - after;
    if (count > MAX_TOLD) return null;
    const objectIds = await this.#database.run((knex) =>
      knex('changes').where('sequence', '>', after).where('sequence', '<=', upTo).pluck('object_id'),
    );
    return objectIds.length === count ? objectIds : null;
  }
}

/**
 * Numbers a change, as the last write of the transaction that makes it: the counter's row stays locked until the commit, so
 * nobody commits a later number first, and since it is the last lock taken it is in no deadlock. Nothing may have been read
 * before in that transaction: MariaDB from 11.6 on refuses to write a row that has changed since the first read.
 */
export function recordChange(trx: Knex.Transaction, objectId: string): Promise<void> {
  return recordChanges(trx, [objectId]);
}

/** As {@link recordChange}, of many objects: all their changes come after all that are numbered now. */
export async function recordChanges(trx: Knex.Transaction, objectIds: readonly string[]): Promise<void> {
  if (objectIds.length === 0) return;
  await trx('counters').where(COUNTER).increment('value', objectIds.length);
  const { value } = await trx('counters').where(COUNTER).forUpdate().first('value');
  const latest = Number(value);
  const first = latest - objectIds.length + 1;
  const rows = objectIds.map((objectId, index) => ({ sequence: first + index, object_id: objectId }));
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT)
    await trx('changes').insert(rows.slice(start, start + ROWS_PER_INSERT));
  await trx('changes')
    .where('sequence', '<=', latest - KEPT)
    .delete();
}

async function readCounter(knex: Knex): Promise<number> {
  const row = await knex('counters').where(COUNTER).first('value');
  return Number(row.value);
}
