/* @keyturn/lib/express as its README says: the token and a permission for the entity in the path. */
import { createVerifier } from '@keyturn/lib';
import { authenticate, requirePermission } from '@keyturn/lib/express';

export function createGuards({ issuer, audience, jwk }) {
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] } });
  return [authenticate(verifier), requirePermission('read:credential/:id')];
}
