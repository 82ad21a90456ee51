/* express-oauth2-jwt-bearer: an inline JWK Set ("JWTs verified with a static public key" in its README). */
import { auth } from 'express-oauth2-jwt-bearer';

export function createGuards({ issuer, audience, jwk }) {
  return [auth({ issuer, audience, publicKey: { keys: [jwk] } })];
}
