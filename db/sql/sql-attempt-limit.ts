import type { Attempt, AttemptLimit, AttemptLimitRule } from '../../server/users/attempt-limit.ts';
import type { Database } from './database.ts';

const TABLE = 'sign_in_attempts';

/**
 * Counts in the database, by its clock, where there is no Redis. rate-limiter-flexible has SQL adapters, but they take
 * the driver's connections past our time limits.
 */
export class SqlAttemptLimit implements AttemptLimit {
  readonly rule: AttemptLimitRule;
  readonly #database: Database;

  constructor(database: Database, rule: AttemptLimitRule) {
    this.#database = database;
    this.rule = rule;
  }

  take(name: string): Promise<Attempt> {
    const { maxAttempts, windowSeconds } = this.rule;
    const id = this.#id(name);
    const nowMs = this.#database.nowMsSql;
    const endMs = `${nowMs} + ${windowSeconds * 1000}`;
    return this.#database.transaction(async (trx) => {
      await trx(TABLE)
        .insert({ id, attempts: 1, ends_at_ms: trx.raw(endMs) })
        .onConflict('id')
        // In this order: MySQL assigns from left to right, and the first one needs the old end.
        .merge({
          attempts: trx.raw(`CASE WHEN ${TABLE}.ends_at_ms > ${nowMs} THEN ${TABLE}.attempts + 1 ELSE 1 END`),
          ends_at_ms: trx.raw(`CASE WHEN ${TABLE}.ends_at_ms > ${nowMs} THEN ${TABLE}.ends_at_ms ELSE ${endMs} END`),
        });
      const row = await trx(TABLE)
        .where({ id })
        .forUpdate()
        .first({ count: 'attempts', remaining_ms: trx.raw(`ends_at_ms - ${nowMs}`) });
      const count = Number(row.count);
      return { isAllowed: count <= maxAttempts, count, remainingMs: Number(row.remaining_ms) };
    });
  }

  async giveBack(name: string): Promise<void> {
    await this.#database.run((knex) =>
      knex(TABLE)
        .where({ id: this.#id(name) })
        .where('attempts', '>', 0)
        .decrement('attempts', 1),
    );
  }

  async clear(name: string): Promise<void> {
    await this.#database.run((knex) =>
      knex(TABLE)
        .where({ id: this.#id(name) })
        .delete(),
    );
  }

  #id(name: string): string {
    return `${this.rule.name}:${name}`;
  }
}

/** Deletes at most `limit` windows that are over, and says how many. */
export function deleteEndedAttempts(database: Database, limit: number): Promise<number> {
  return database.run(async (knex) => {
    const ended = await knex(TABLE).where('ends_at_ms', '<=', database.nowMs).limit(limit).pluck('id');
    if (ended.length === 0) return 0;
    return knex(TABLE).whereIn('id', ended).where('ends_at_ms', '<=', database.nowMs).delete();
  });
}
