/* fast-jwt by its README: the key as PEM, its algorithm named. `cache` is off by default. */
import { createPublicKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';

export function create({ issuer, audience, jwk }, options = {}) {
  const key = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const verify = createVerifier({ key, algorithms: ['ES256'], allowedIss: issuer, allowedAud: audience, ...options });
  return (authorization) => verify(authorization.slice('Bearer '.length));
}
