import { createHash } from 'node:crypto';

/**
 * Names a set of permissions by its content: 22 base64url characters (the first 128 bits of a SHA-256 over the sorted,
 * unique permissions, a line each). A session that was not narrowed keeps this instead of the set, which stays readable
 * in the database after the key has changed.
 */
export function permissionSetDigest(permissions: readonly string[]): string {
  const canonical = [...new Set(permissions)].sort().join('\n');
  return createHash('sha256').update(canonical).digest().subarray(0, 16).toString('base64url');
}
