import type { HourOfUse, UsageBatch, UsageStore } from '../../server/usage/usage-store.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './database-error.ts';

/** SQLite takes a few hundred rows in a statement. */
const ROWS_PER_STATEMENT = 200;

const COUNTS = ['exchanges', 'refreshes', 'denials'] as const;

export class SqlUsageStore implements UsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  add({ id, hours }: UsageBatch, nowMs: number): Promise<void> {
    // By key: instances that write at the same time take the rows in one order, and don't deadlock.
    const rows = [...hours]
      .sort((a, b) => (a.keyId < b.keyId ? -1 : 1))
      .map(({ keyId, hourAtMs, ...counts }) => ({ key_id: keyId, hour_at_ms: hourAtMs, ...counts }));
    return this.#database.transaction(async (trx) => {
      try {
        await trx('usage_batches').insert({ id, created_at_ms: nowMs });
      } catch (error) {
        // Its first commit took place, and the answer was lost.
        if (isUniqueViolation(error)) return;
        throw error;
      }
      const sums = COUNTS.map((count) => {
        const added = this.#database.dialect === 'sqlite' ? 'excluded.??' : 'VALUES(??)';
        return [count, trx.raw(`?? + ${added}`, [`key_usage.${count}`, count])];
      });
      for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT)
        await trx('key_usage')
          .insert(rows.slice(start, start + ROWS_PER_STATEMENT))
          .onConflict(['key_id', 'hour_at_ms'])
          .merge(Object.fromEntries(sums));
    });
  }

  async hoursOfKey(keyId: string, sinceMs: number, untilMs: number): Promise<readonly HourOfUse[]> {
    const rows = await this.#database.run((knex) =>
      knex('key_usage')
        .where({ key_id: keyId })
        .where('hour_at_ms', '>=', sinceMs)
        .where('hour_at_ms', '<', untilMs)
        .orderBy('hour_at_ms')
        .select('hour_at_ms', ...COUNTS),
    );
    return rows.map(({ hour_at_ms, exchanges, refreshes, denials }) => ({
      hourAtMs: Number(hour_at_ms),
      exchanges: Number(exchanges),
      refreshes: Number(refreshes),
      denials: Number(denials),
    }));
  }

  deleteBefore(hoursBeforeMs: number, batchesBeforeMs: number, limit: number): Promise<number> {
    return this.#database.run(async (knex) => {
      // Ids first, each time: without an index or by a range a DELETE would lock what others insert.
      const old = await knex('usage_batches').where('created_at_ms', '<', batchesBeforeMs).limit(limit).pluck('id');
      if (old.length > 0) await knex('usage_batches').whereIn('id', old).delete();
      const hours = () => knex('key_usage').where('hour_at_ms', '<', hoursBeforeMs);
      const oldest = await hours().orderBy('hour_at_ms').first('hour_at_ms');
      if (oldest === undefined) return 0;
      const ofHour = () => knex('key_usage').where({ hour_at_ms: oldest.hour_at_ms });
      const keyIds = await ofHour().orderBy('key_id').limit(limit).pluck('key_id');
      return ofHour().whereIn('key_id', keyIds).delete();
    });
  }
}
