/* jose: a local JWK Set, as its docs have it for keys that are at hand, and every check that an access token wants. */
import { createLocalJWKSet, jwtVerify } from 'jose';

export function create({ issuer, audience, jwk }) {
  const keys = createLocalJWKSet({ keys: [jwk] });
  const options = { issuer, audience, algorithms: ['ES256'], typ: 'at+jwt' };
  return (authorization) => jwtVerify(authorization.slice('Bearer '.length), keys, options);
}
