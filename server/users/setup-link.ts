import { hash } from 'node:crypto';
import { randomBase64url } from '../random.ts';

const SETUP_LINK_DAYS = 7;
const DAY_MS = 86_400_000;

/** A one-time link by which a user sets their password. Its secret part is stored nowhere. */
export interface SetupLink {
  /** {@link hashToken} of the secret part. */
  readonly tokenHash: string;
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
  /** `key_…` or `usr_…`. */
  readonly createdBy: string;
}

/** How links and cookies are stored: 256 random bits need no slow hash, and whoever reads the table can't use them. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** @param issuer public URL of Keyturn, where the console is */
export function newSetupLink(
  createdBy: string,
  nowMs: number,
  issuer: string,
): { readonly link: SetupLink; readonly url: string } {
  const token = `kts_${randomBase64url(32)}`;
  const link = {
    tokenHash: hashToken(token),
    expiresAtMs: nowMs + SETUP_LINK_DAYS * DAY_MS,
    createdAtMs: nowMs,
    createdBy,
  };
  // In the fragment, which no browser sends and no log sees.
  return { link, url: `${issuer}/console/setup#${token}` };
}
