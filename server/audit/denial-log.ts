import type { Clock } from '../clock.ts';
import type { AuditOrigin } from './audit-event.ts';
import type { AuditLog } from './audit-log.ts';

const PAUSE_MS = 60_000;
/** Addresses told apart of one key and reason; whoever holds a stolen key may have a network of them. */
const MAX_ADDRESSES = 20;
/** Keys and reasons. Past them denials are counted in the key's usage, and nowhere else. */
const MAX_DENIED = 10_000;

export interface Denial {
  readonly keyId: string;
  readonly projectId: string;
  /** Why a proven API key was refused. */
  readonly reason: string;
  readonly origin: Pick<AuditOrigin, 'ip' | 'requestId'>;
}

/** In the place of an address: all that came after {@link MAX_ADDRESSES}. */
const OTHERS = 'others';

interface Told {
  readonly denial: Denial;
  toldAtMs: number;
  /** Since then. */
  count: number;
}

/**
 * Tells of denials in the audit log: the first of a key, reason and address at once, then at most one event a minute with
 * the number of those since. A job with a revoked key may ask a thousand times a second.
 *
 * @param clock for durations; monotonic
 */
export function createDenialLog({ audit, clock }: { readonly audit: Pick<AuditLog, 'record'>; readonly clock: Clock }) {
  /** By key and reason, then by address. */
  const denied = new Map<string, Map<string, Told>>();
  let timer: NodeJS.Timeout | undefined;

  function tell({ keyId, projectId, reason }: Denial, origin: Denial['origin'], count: number): void {
    const object = { projectId, objectId: keyId, detail: { reason, count } };
    audit.record('api_key.denied', { actorId: keyId, ...origin }, object);
  }

  /** Tells what was counted, and forgets who has been quiet for a minute. */
  function tellCounted(isDue: (told: Told) => boolean): void {
    for (const [name, addresses] of denied) {
      for (const [address, told] of addresses) {
        if (!isDue(told)) continue;
        const ip = address === OTHERS ? null : told.denial.origin.ip;
        if (told.count === 0) addresses.delete(address);
        else tell(told.denial, { ip, requestId: null }, told.count);
        told.toldAtMs = clock.nowMs();
        told.count = 0;
      }
      if (addresses.size === 0) denied.delete(name);
    }
  }

  function tellDue(): void {
    timer = undefined;
    tellCounted(({ toldAtMs }) => clock.nowMs() - toldAtMs >= PAUSE_MS);
    if (denied.size > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(tellDue, PAUSE_MS).unref();
  }

  function addressesOf({ keyId, reason }: Denial): Map<string, Told> | null {
    const name = `${keyId} ${reason}`;
    const known = denied.get(name);
    if (known !== undefined || denied.size >= MAX_DENIED) return known ?? null;
    const addresses = new Map<string, Told>();
    denied.set(name, addresses);
    return addresses;
  }

  return {
    record(denial: Denial): void {
      const addresses = addressesOf(denial);
      if (addresses === null) return;
      const address = denial.origin.ip ?? 'unknown';
      const isKnown = addresses.has(address) || addresses.size < MAX_ADDRESSES;
      const told = addresses.get(isKnown ? address : OTHERS);
      if (told !== undefined) {
        told.count += 1;
        return;
      }
      addresses.set(isKnown ? address : OTHERS, { denial, toldAtMs: clock.nowMs(), count: 0 });
      tell(denial, denial.origin, 1);
      schedule();
    },

    /** What a minute has gone by for; a timer calls it too. */
    tellDue(): void {
      clearTimeout(timer);
      tellDue();
    },

    /** Tells all that was counted. */
    close(): void {
      clearTimeout(timer);
      tellCounted(({ count }) => count > 0);
    },
  };
}

export type DenialLog = ReturnType<typeof createDenialLog>;
