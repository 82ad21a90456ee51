/**
 * The life of a signing key (RFC 7517 §5, RFC 9068 §4): pending, active, retiring, retired. Pure: keys and a time in,
 * an answer out.
 *
 * Why no verifier fails when keys rotate. Say that a verifier keeps the JWKS for 600 s (its max-age), never asks again for
 * an unknown kid, and that instances reload the keys every 30 s:
 * - The new key stands in every instance's JWKS after 30 s, so in every verifier's after 630 s. It signs nothing before
 *   900 s by the clock of the instance that signs: clocks of instances may differ by 4 minutes. Where they differ by
 *   more, a verifier that asks again for an unknown kid, as ours and jose's do, still finds it.
 * - The old key leaves the JWKS when the last token that it signed has expired, and 360 s more: a verifier accepts a token
 *   for up to 60 s after its end, and its clock may be 5 minutes behind the instance that it asks. An instance whose clock
 *   is behind goes on signing with the old key, but `exp` is by the same clock, so no later than the others'.
 * - A successor's start and its predecessor's end are one instant, so on any one clock exactly one key is active; and an
 *   instance that finds none active because its clock is behind signs with the first that will be.
 */
import type { SigningAlgorithm, SigningKey, SigningKeyState } from './signing-key.ts';
import type { SigningKeyRetirement } from './signing-key-store.ts';

/** How long a new key stands in the JWKS before it signs: the JWKS' max-age of 600 s, and skew. */
export const SIGNING_KEY_PUBLICATION_SECONDS = 900;

/** How long a key stays in the JWKS after the last token that it signed has expired: skew, and verifiers' tolerance. */
export const SIGNING_KEY_TOLERANCE_SECONDS = 360;

const DAY_MS = 86_400_000;

export interface SigningKeySettings {
  readonly algorithm: SigningAlgorithm;
  /** Age at which the active key gets a successor; 0: by hand only. */
  readonly rotationDays: number;
}

export type SigningKeyDecision = 'none' | 'create' | 'rotate';

/** When a new key begins, and what ends for it. */
export interface NewSigningKeyPlan {
  readonly sequence: number;
  readonly createdAtMs: number;
  readonly activeFromMs: number;
  readonly retirements: readonly SigningKeyRetirement[];
}

/** `newKey` null: the others suffice. */
export interface RevocationPlan {
  readonly revocation: SigningKeyRetirement;
  readonly newKey: NewSigningKeyPlan | null;
}

/** A successor has been published already; `rotate` by hand would add a second one. */
export class SigningKeyPending extends Error {
  readonly kid: string;
  readonly activeFromMs: number;

  constructor(key: Pick<SigningKey, 'kid' | 'activeFromMs'>) {
    const activeFrom = new Date(key.activeFromMs).toISOString();
    super(`the signing key ${key.kid} is pending and becomes active at ${activeFrom}: rotate after that, or revoke it`);
    this.name = 'SigningKeyPending';
    this.kid = key.kid;
    this.activeFromMs = key.activeFromMs;
  }
}

type Times = Pick<SigningKey, 'activeFromMs' | 'retiringFromMs' | 'retiredFromMs'>;

/** A revoked key (both ends equal) is retired on every clock, also on one that is behind the clock that revoked it. */
export function signingKeyState(key: Times, nowMs: number): SigningKeyState {
  const { retiringFromMs, retiredFromMs } = key;
  if (retiringFromMs !== null && retiringFromMs === retiredFromMs) return 'retired';
  if (retiredFromMs !== null && nowMs >= retiredFromMs) return 'retired';
  if (retiringFromMs !== null && nowMs >= retiringFromMs) return 'retiring';
  return nowMs >= key.activeFromMs ? 'active' : 'pending';
}

/**
 * The key that signs now. Where none is active, the pending one that is due first: its predecessor was revoked, or this
 * clock is behind the one that made it.
 */
export function activeKey(keys: readonly SigningKey[], nowMs: number): SigningKey | null {
  const active = keys.filter((key) => signingKeyState(key, nowMs) === 'active');
  const pending = keys.filter((key) => signingKeyState(key, nowMs) === 'pending');
  const latestActive = active.sort((a, b) => b.activeFromMs - a.activeFromMs || b.sequence - a.sequence)[0];
  const firstPending = pending.sort((a, b) => a.activeFromMs - b.activeFromMs || a.sequence - b.sequence)[0];
  return latestActive ?? firstPending ?? null;
}

/** The successor that waits for its time, if there is one. */
export function pendingKey(keys: readonly SigningKey[], nowMs: number): SigningKey | null {
  const active = activeKey(keys, nowMs);
  return keys.find((key) => key !== active && signingKeyState(key, nowMs) === 'pending') ?? null;
}

/** What belongs in the JWKS: pending, active and retiring keys. */
export function publishedKeys(keys: readonly SigningKey[], nowMs: number): readonly SigningKey[] {
  return keys.filter((key) => signingKeyState(key, nowMs) !== 'retired');
}

/** What the settings ask for. */
export function decideSigningKeyChange(
  keys: readonly SigningKey[],
  nowMs: number,
  settings: SigningKeySettings,
): SigningKeyDecision {
  const active = activeKey(keys, nowMs);
  if (active === null) return 'create';
  if (pendingKey(keys, nowMs) !== null) return 'none';
  const isOld = settings.rotationDays > 0 && nowMs - active.activeFromMs >= settings.rotationDays * DAY_MS;
  return isOld || active.algorithm !== settings.algorithm ? 'rotate' : 'none';
}

/** A key that signs from now on, there being no other. */
export function planFirstKey(keys: readonly SigningKey[], nowMs: number): NewSigningKeyPlan {
  return { sequence: nextSequence(keys), createdAtMs: nowMs, activeFromMs: nowMs, retirements: [] };
}

/** A successor of the active key. Throws {@link SigningKeyPending} when one is under way. */
export function planRotation(
  keys: readonly SigningKey[],
  nowMs: number,
  accessTokenSeconds: number,
): NewSigningKeyPlan {
  const pending = pendingKey(keys, nowMs);
  if (pending !== null) throw new SigningKeyPending(pending);
  const active = activeKey(keys, nowMs);
  if (active === null) return planFirstKey(keys, nowMs);
  const activeFromMs = nowMs + SIGNING_KEY_PUBLICATION_SECONDS * 1000;
  const retirement = {
    kid: active.kid,
    retiringFromMs: activeFromMs,
    retiredFromMs: activeFromMs + (accessTokenSeconds + SIGNING_KEY_TOLERANCE_SECONDS) * 1000,
  };
  return { sequence: nextSequence(keys), createdAtMs: nowMs, activeFromMs, retirements: [retirement] };
}

/**
 * Takes a key out of the JWKS at once. The last usable key gets a successor that signs at once; a revoked pending one
 * gets another in its place, because its predecessor's end is set; an active one leaves its place to the pending one.
 * Null when the key is unknown or out of the JWKS already.
 */
export function planRevocation(
  keys: readonly SigningKey[],
  kid: string,
  nowMs: number,
  accessTokenSeconds: number,
): RevocationPlan | null {
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined || signingKeyState(key, nowMs) === 'retired') return null;
  const revocation = { kid, retiringFromMs: nowMs, retiredFromMs: nowMs };
  const others = keys.map((other) => (other === key ? { ...key, ...revocation } : other));
  if (activeKey(others, nowMs) === null) return { revocation, newKey: planFirstKey(others, nowMs) };
  const wasPending = pendingKey(keys, nowMs) === key;
  const hasSuccessor = pendingKey(others, nowMs) !== null;
  return { revocation, newKey: wasPending && !hasSuccessor ? planRotation(others, nowMs, accessTokenSeconds) : null };
}

function nextSequence(keys: readonly SigningKey[]): number {
  return Math.max(0, ...keys.map((key) => key.sequence)) + 1;
}
