import type { SigningKey } from './signing-key.ts';
import {
  decideSigningKeyChange,
  type NewSigningKeyPlan,
  planFirstKey,
  planRevocation,
  planRotation,
  type SigningKeySettings,
} from './signing-key-lifecycle.ts';
import type { SigningKeyPairs } from './signing-key-pairs.ts';
import type { SigningKeyRetirement, SigningKeyStore } from './signing-key-store.ts';

/** What was done to the signing keys, for logs and the audit trail. */
export interface SigningKeyChange {
  readonly type: 'signing_key.created' | 'signing_key.rotated' | 'signing_key.revoked';
  /** The revoked key, else the new one. */
  readonly kid: string;
}

/** What is to be written, once the new key's pair has been made. */
export type PlannedChange = Pick<SigningKeyChange, 'type'> &
  (
    | { readonly revocation: SigningKeyRetirement | null; readonly newKey: NewSigningKeyPlan }
    | { readonly revocation: SigningKeyRetirement; readonly newKey: null }
  );

/** What the settings ask for; null: nothing. */
export function planBySettings(
  keys: readonly SigningKey[],
  nowMs: number,
  settings: SigningKeySettings & { readonly accessTokenSeconds: number },
): PlannedChange | null {
  switch (decideSigningKeyChange(keys, nowMs, settings)) {
    case 'none':
      return null;
    case 'create':
      return { type: 'signing_key.created', revocation: null, newKey: planFirstKey(keys, nowMs) };
    case 'rotate':
      return planSuccessor(keys, nowMs, settings.accessTokenSeconds);
  }
}

/** A successor. Throws {@link SigningKeyPending}. */
export function planSuccessor(keys: readonly SigningKey[], nowMs: number, accessTokenSeconds: number): PlannedChange {
  const newKey = planRotation(keys, nowMs, accessTokenSeconds);
  return { type: 'signing_key.rotated', revocation: null, newKey };
}

/** Null when there is nothing to revoke. */
export function planRevocationOf(
  keys: readonly SigningKey[],
  kid: string,
  nowMs: number,
  accessTokenSeconds: number,
): PlannedChange | null {
  const plan = planRevocation(keys, kid, nowMs, accessTokenSeconds);
  return plan && { type: 'signing_key.revoked', ...plan };
}

interface WriteOptions extends Pick<SigningKeySettings, 'algorithm'> {
  readonly store: SigningKeyStore;
  readonly keyPairs: SigningKeyPairs;
}

/** Null, and nothing written, when another instance was first. */
export async function writeChange(
  { type, ...planned }: PlannedChange,
  { store, keyPairs, algorithm }: WriteOptions,
): Promise<SigningKeyChange | null> {
  if (planned.newKey === null) {
    await store.retire([planned.revocation]);
    return { type, kid: planned.revocation.kid };
  }
  const { retirements, ...times } = planned.newKey;
  const pair = await keyPairs.generate(algorithm);
  const key: SigningKey = { ...pair, ...times, retiringFromMs: null, retiredFromMs: null };
  const ends = planned.revocation === null ? retirements : [planned.revocation, ...retirements];
  if (!(await store.add(key, ends))) return null;
  return { type, kid: planned.revocation?.kid ?? key.kid };
}
