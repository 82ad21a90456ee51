/* express-jwt: a public key, issuer and audience, by its README. A KeyObject: a PEM text would be parsed for every request. */
import { createPublicKey } from 'node:crypto';
import { expressjwt } from 'express-jwt';

export function createGuards({ issuer, audience, jwk }) {
  const secret = createPublicKey({ key: jwk, format: 'jwk' });
  return [expressjwt({ secret, issuer, audience, algorithms: ['ES256'] })];
}
