import type { SigningKey, SigningKeyState } from './signing-key.ts';
import { activeKey, signingKeyState } from './signing-key-lifecycle.ts';

/** A signing key as people see it: no key material, and `active` for the one that signs, also ahead of its time. */
export interface SigningKeySummary extends Omit<SigningKey, 'publicJwk' | 'encryptedPrivateKey'> {
  readonly state: SigningKeyState;
}

export function summarizeSigningKeys(keys: readonly SigningKey[], nowMs: number): readonly SigningKeySummary[] {
  const active = activeKey(keys, nowMs);
  return keys.map(({ publicJwk, encryptedPrivateKey, ...shown }) => ({
    ...shown,
    state: shown.kid === active?.kid ? 'active' : signingKeyState(shown, nowMs),
  }));
}
