/* @keyturn/lib as its README says, the keys at hand as they are after the first request. */
import { createVerifier } from '@keyturn/lib';

export function create({ issuer, audience, jwk, ip }, options = {}) {
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] }, ...options });
  return (authorization) => verifier.verify(authorization.slice('Bearer '.length), { ip });
}
