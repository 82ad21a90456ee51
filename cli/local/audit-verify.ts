import { AuditTrail, type ChainHead } from '../../db/sql/audit-trail.ts';
import { type ChainFault, verifyAuditChain } from '../../db/sql/verify-audit-chain.ts';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { assertMasterKeyFits, storedSigningKeys } from './signing-keys.ts';
import { withStorage } from './with-storage.ts';

const eventNamed = ({ sequence, eventId }: ChainFault): string =>
  [sequence === null ? 'an event without a number' : `event ${sequence}`, ...(eventId ? [`(${eventId})`] : [])].join(
    ' ',
  );

const FAULTS: Readonly<Record<ChainFault['kind'], (fault: ChainFault) => string>> = {
  changed: (fault) => `${eventNamed(fault)} does not follow from the one before: it was edited, moved or put there`,
  missing: (fault) => `${eventNamed(fault)} is missing: it was deleted, or given another number`,
  inserted: (fault) => `${eventNamed(fault)} was put there: the chain does not know it`,
  end_missing: (fault) => `${eventNamed(fault)} is missing, and all that followed: the end of the chain was cut off`,
  anchor_changed: (fault) => `${eventNamed(fault)} is another one than --mac names`,
  key_unknown: (fault) => `${eventNamed(fault)} was chained under a master key that KEYTURN_MASTER_KEY does not list`,
};

export function verifyAudit(output: Output, earlierHead: ChainHead | null): Promise<void> {
  return withStorage(output, async (storage) => {
    // Under a wrong key every event would look edited, and a lost one must not be made anew here.
    assertMasterKeyFits(storage, await storedSigningKeys(storage));
    const trail = new AuditTrail(() => storage.masterKeys.auditMacKeys());
    const { fault, verifiedCount, unchainedCount, head } = await verifyAuditChain(storage.database, trail, earlierHead);
    if (fault !== null)
      throw new CommandFailure(EXIT_CODES.failed, 'audit_chain_broken', FAULTS[fault.kind](fault), {
        fault: fault.kind,
        sequence: fault.sequence,
        event_id: fault.eventId,
      });
    const json = { verified_count: verifiedCount, unchained_count: unchainedCount, head };
    const unchained =
      unchainedCount === 0 ? [] : [`${unchainedCount} events are older than the chain; nothing protects them`];
    const text = [
      `${verifiedCount} events verified`,
      ...unchained,
      `head: sequence ${head.sequence} mac ${head.mac || '-'}`,
    ];
    output.result(json, text.join('\n'));
    if (head.sequence > 0)
      output.note('Keep the head where the database can not be written from: with it the next run sees a cut-off end.');
  });
}
