import { hash, timingSafeEqual } from 'node:crypto';

/** How a stored secret is tagged: the tag says what proves it. */
const SHA256 = 'sha256:';
const BCRYPT = 'bcrypt:';

/** A generated secret has 256 random bits, so one SHA-256 is enough; there is nothing to guess by trying. */
export function hashGeneratedSecret(secret: string): string {
  return SHA256 + hash('sha256', secret, 'base64url');
}

export function tagBcryptHash(hash: string): string {
  return BCRYPT + hash;
}

/** The bcrypt hash of a chosen secret; null for a generated one's. */
export function bcryptHashOf(secretHash: string): string | null {
  return secretHash.startsWith(BCRYPT) ? secretHash.slice(BCRYPT.length) : null;
}

/** The hash of a generated secret; null for a chosen one's. */
export function sha256OfGeneratedSecret(secretHash: string): Buffer | null {
  return secretHash.startsWith(SHA256) ? Buffer.from(secretHash.slice(SHA256.length), 'base64url') : null;
}

const NOBODYS_SHA256 = hash('sha256', '', 'buffer');

/**
 * Compares in constant time. `sha256` null takes as long and is never equal, so that the time tells nothing of which keys
 * exist.
 */
export function isGeneratedSecret(secret: string, sha256: Buffer | null): boolean {
  const isEqual = timingSafeEqual(hash('sha256', secret, 'buffer'), sha256 ?? NOBODYS_SHA256);
  return isEqual && sha256 !== null;
}
