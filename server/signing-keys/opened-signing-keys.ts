import type { TokenSigner } from '../access-tokens/token-signer.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import type { SigningKey } from './signing-key.ts';
import { activeKey, signingKeyState } from './signing-key-lifecycle.ts';
import type { SigningKeyPairs } from './signing-key-pairs.ts';

/** Signing keys as they were read last, with what their private keys became. */
export interface OpenedSigningKeys {
  readonly keys: readonly SigningKey[];
  /** Opened once, dropped when the key has retired or was revoked. */
  readonly signers: ReadonlyMap<string, TokenSigner>;
  /** Why some private keys could not be opened, by kid. */
  readonly unopened: ReadonlyMap<string, unknown>;
}

export const NO_SIGNING_KEYS: OpenedSigningKeys = { keys: [], signers: new Map(), unopened: new Map() };

/** A key that can't be opened is published all the same: other instances sign with it. */
export function openSigningKeys(
  keys: readonly SigningKey[],
  nowMs: number,
  { before, keyPairs }: { readonly before: OpenedSigningKeys; readonly keyPairs: SigningKeyPairs },
): OpenedSigningKeys {
  const signers = new Map<string, TokenSigner>();
  const unopened = new Map<string, unknown>();
  for (const key of keys) {
    const state = signingKeyState(key, nowMs);
    // A retiring key's signer is kept for a clock that jumps back, but its private key is not asked for any more.
    if (state === 'retired' || (state === 'retiring' && !before.signers.has(key.kid))) continue;
    try {
      signers.set(key.kid, before.signers.get(key.kid) ?? keyPairs.signer(key));
    } catch (error) {
      unopened.set(key.kid, error);
    }
  }
  return { keys, signers, unopened };
}

/** Throws what decryption threw when the key that signs now can't be opened. */
export function assertActiveKeyOpened({ keys, unopened }: OpenedSigningKeys, nowMs: number): void {
  const active = activeKey(keys, nowMs);
  if (active !== null && unopened.has(active.kid)) throw unopened.get(active.kid);
}

/** Of the key that is active at `nowMs`. Throws {@link DependencyUnavailable} when there is none, or it isn't open. */
export function activeSigner({ keys, signers, unopened }: OpenedSigningKeys, nowMs: number): TokenSigner {
  const active = activeKey(keys, nowMs);
  const signer = active === null ? undefined : signers.get(active.kid);
  if (signer !== undefined) return signer;
  const cause = active === null ? new Error('no signing key is loaded') : unopened.get(active.kid);
  throw new DependencyUnavailable('signing_keys', cause);
}
