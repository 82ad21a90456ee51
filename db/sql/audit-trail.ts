import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Knex } from 'knex';
import type { AuditEvent } from '../../server/audit/audit-event.ts';

/** A key that makes the chain's MACs, and its public name. */
export interface AuditMacKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface ChainedRow {
  readonly id: string;
  readonly type: string;
  readonly project_id: string | null;
  readonly actor_id: string | null;
  readonly object_id: string;
  readonly ip: string | null;
  readonly request_id: string | null;
  /** As it is stored, byte by byte. */
  readonly detail: string;
  readonly created_at_ms: number;
  readonly sequence: number;
}

/** Where the chain ends. Before the first event: 0 and an empty MAC. */
export interface ChainHead {
  readonly sequence: number;
  readonly mac: string;
}

const CHAIN = { name: 'events' };

/**
 * Chains audit events: each row has the next number, and a MAC over its columns and the MAC of the row before. Whoever can
 * write to the database, but lacks the master key, can't edit, delete or reorder a row unnoticed.
 */
export class AuditTrail {
  readonly #macKeys: () => readonly AuditMacKey[];

  /** @param macKeys the first makes MACs; asked when first needed */
  constructor(macKeys: () => readonly AuditMacKey[]) {
    this.#macKeys = macKeys;
  }

  /**
   * Stores events in the transaction of what they tell of. Its lock is held until the commit, so it is the last step but
   * `recordChange`, always in this order; and nothing may have been read before without a lock, for the reason given there.
   */
  async append(trx: Knex.Transaction, events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    const [macKey] = this.#macKeys();
    if (macKey === undefined) throw new Error('no key for the audit chain');
    const head = await this.lock(trx);
    let { sequence, mac } = head;
    const rows = events.map((event) => {
      sequence += 1;
      const row = toRow(event, sequence);
      mac = chainMac(macKey, mac, row);
      return { ...row, mac };
    });
    for (let start = 0; start < rows.length; start += 50)
      await trx('audit_events').insert(rows.slice(start, start + 50));
    await trx('audit_chain').where(CHAIN).update({ sequence, mac });
  }

  /** Nobody else appends until the transaction is over: where the chain ends until then. */
  async lock(trx: Knex.Transaction): Promise<ChainHead> {
    const { sequence, mac } = await trx('audit_chain').where(CHAIN).forUpdate().first('sequence', 'mac');
    return { sequence: Number(sequence), mac };
  }

  /** Does the MAC follow from the row and the MAC of the row before? Null: it names a key that is not known. */
  isChained(row: ChainedRow, mac: string, previousMac: string): boolean | null {
    const macKey = this.#macKeys().find(({ id }) => mac.startsWith(`${id}.`));
    if (macKey === undefined) return null;
    const [expected, found] = [Buffer.from(chainMac(macKey, previousMac, row)), Buffer.from(mac)];
    return expected.length === found.length && timingSafeEqual(expected, found);
  }
}

function toRow(event: AuditEvent, sequence: number): ChainedRow {
  return {
    id: event.id,
    type: event.type,
    project_id: event.projectId,
    actor_id: event.actorId,
    object_id: event.objectId,
    ip: event.ip,
    request_id: event.requestId,
    detail: JSON.stringify(event.detail),
    created_at_ms: event.createdAtMs,
    sequence,
  };
}

/** `<key id>.<base64url>`. JSON of a list: no two different rows give the same bytes. */
function chainMac({ id, key }: AuditMacKey, previousMac: string, row: ChainedRow): string {
  const { sequence, type, project_id, actor_id, object_id, ip, request_id, detail, created_at_ms } = row;
  const columns = [sequence, row.id, type, project_id, actor_id, object_id, ip, request_id, detail, created_at_ms];
  const mac = createHmac('sha256', key).update(JSON.stringify([previousMac, ...columns]));
  return `${id}.${mac.digest('base64url')}`;
}
