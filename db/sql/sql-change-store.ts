import type { Knex } from 'knex';
import type { ChangeStore } from '../../server/changes/change-store.ts';
import type { Database } from './database.ts';

const COUNTER = { name: 'changes' };
/** Whoever is further behind forgets everything, which costs a read for each key in use. */
const MAX_TOLD = 1_000;
/** An instance that was asleep for longer than it takes to make these forgets everything, too. */
const KEPT = 10_000;

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
export async function recordChange(trx: Knex.Transaction, objectId: string): Promise<void> {
  await trx('counters').where(COUNTER).increment('value', 1);
  const { value } = await trx('counters').where(COUNTER).forUpdate().first('value');
  const sequence = Number(value);
  await trx('changes').insert({ sequence, object_id: objectId });
  await trx('changes')
    .where('sequence', '<=', sequence - KEPT)
    .delete();
}

async function readCounter(knex: Knex): Promise<number> {
  const row = await knex('counters').where(COUNTER).first('value');
  return Number(row.value);
}
