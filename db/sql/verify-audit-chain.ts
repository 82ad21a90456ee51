import type { AuditTrail, ChainedRow, ChainHead } from './audit-trail.ts';
import type { Database } from './database.ts';

const PAGE = 200;
/**
 * While an update goes on, instances of the version before still store events without a number. Later than this they are not
 * theirs: somebody has put them there.
 */
const UPDATE_MS = 86_400_000;

type StoredRow = ChainedRow & { readonly mac: string };

/** What was found first. `sequence` null: the row has none. */
export interface ChainFault {
  readonly kind: 'anchor_changed' | 'changed' | 'end_missing' | 'inserted' | 'key_unknown' | 'missing';
  readonly sequence: number | null;
  readonly eventId: string | null;
}

export interface ChainReport {
  readonly fault: ChainFault | null;
  /** Events whose MAC was found right. */
  readonly verifiedCount: number;
  /** Events of before the chain, which nothing protects. */
  readonly unchainedCount: number;
  /** Where the chain ends: kept elsewhere, it shows later whether the end was cut off. */
  readonly head: ChainHead;
}

/**
 * Reads the whole chain, a page at a time, while events go on being stored.
 *
 * @param earlierHead one that was reported before and must still be in the chain. Without it nothing tells an end that was
 *   cut off, together with the record of where it was, from one that never was.
 */
export async function verifyAuditChain(
  database: Database,
  trail: AuditTrail,
  earlierHead: ChainHead | null = null,
): Promise<ChainReport> {
  const { head, beyond } = await readEnd(database);
  const unchained = await readUnchained(database);
  const { fault, verifiedCount } = await walkChain(database, trail, head);
  const anchorFault = earlierHead && (await findAnchorFault(database, earlierHead));
  return {
    fault: fault ?? beyond ?? anchorFault ?? unchained.fault,
    verifiedCount,
    unchainedCount: unchained.count,
    head,
  };
}

/** At one moment: events are being stored meanwhile. */
async function readEnd(database: Database): Promise<{ head: ChainHead; beyond: ChainFault | null }> {
  return database.transaction(async (trx) => {
    const { sequence, mac } = await trx('audit_chain').where({ name: 'events' }).first();
    const row = await trx('audit_events').where('sequence', '>', sequence).orderBy('sequence').first('id', 'sequence');
    return { head: { sequence: Number(sequence), mac }, beyond: row ? faultOf('inserted', row) : null };
  });
}

async function readUnchained(database: Database): Promise<{ count: number; fault: ChainFault | null }> {
  return database.run(async (knex) => {
    const unchained = () => knex('audit_events').whereNull('sequence');
    const counted = await unchained().count({ count: '*' }).first();
    const first = await knex('audit_events').whereNotNull('sequence').orderBy('sequence').first('created_at_ms');
    const late =
      first &&
      (await unchained()
        .where('created_at_ms', '>', first.created_at_ms + UPDATE_MS)
        .first('id', 'sequence'));
    return { count: Number(counted?.count), fault: late ? faultOf('inserted', late) : null };
  });
}

async function findAnchorFault(database: Database, { sequence, mac }: ChainHead): Promise<ChainFault | null> {
  const row = await database.run((knex) => knex('audit_events').where({ sequence }).first('id', 'sequence', 'mac'));
  if (row === undefined) return { kind: 'end_missing', sequence, eventId: null };
  return row.mac === mac ? null : faultOf('anchor_changed', row);
}

async function walkChain(
  database: Database,
  trail: AuditTrail,
  head: ChainHead,
): Promise<{ readonly fault: ChainFault | null; readonly verifiedCount: number }> {
  let last: ChainHead = { sequence: 0, mac: '' };
  // Below the first number, where none belongs.
  let read = { sequence: Number.MIN_SAFE_INTEGER, id: '' };
  for (let verifiedCount = 0; ; ) {
    const rows = await readPage(database, read, head.sequence);
    for (const row of rows) {
      const fault = findFault(trail, row, last);
      if (fault !== null) return { fault, verifiedCount };
      verifiedCount += 1;
      last = { sequence: row.sequence, mac: row.mac };
      read = row;
    }
    if (rows.length === PAGE) continue;
    const isWhole = last.sequence === head.sequence && last.mac === head.mac;
    return {
      fault: isWhole ? null : { kind: 'end_missing', sequence: last.sequence + 1, eventId: null },
      verifiedCount,
    };
  }
}

/** By number, and by id for those that have one number. */
function readPage(database: Database, after: Pick<StoredRow, 'sequence' | 'id'>, upTo: number): Promise<StoredRow[]> {
  return database.run(async (knex) => {
    const rows = await knex('audit_events')
      .where('sequence', '<=', upTo)
      .where('sequence', '>=', after.sequence)
      .whereNot((row) => row.where({ sequence: after.sequence }).where('id', '<=', after.id))
      .orderBy(['sequence', 'id'])
      .limit(PAGE);
    return rows.map((row) => ({ ...row, sequence: Number(row.sequence), created_at_ms: Number(row.created_at_ms) }));
  });
}

function findFault(trail: AuditTrail, row: StoredRow, last: ChainHead): ChainFault | null {
  // A number that was given twice.
  if (row.sequence <= last.sequence) return faultOf('inserted', row);
  if (row.sequence > last.sequence + 1) return { kind: 'missing', sequence: last.sequence + 1, eventId: null };
  const isChained = trail.isChained(row, row.mac ?? '', last.mac);
  if (isChained === null) return faultOf('key_unknown', row);
  return isChained ? null : faultOf('changed', row);
}

function faultOf(
  kind: ChainFault['kind'],
  { id, sequence }: { readonly id: string; readonly sequence: number | null },
): ChainFault {
  return { kind, sequence: sequence === null ? null : Number(sequence), eventId: id };
}
