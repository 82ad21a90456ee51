/* aws-jwt-verify: its verifier for any issuer, the JWK Set put into its cache ("Loading the JWKS from file" in its README). */
import { JwtVerifier } from 'aws-jwt-verify';

export function create({ issuer, audience, jwk }) {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/.well-known/jwks.json` });
  verifier.cacheJwks({ keys: [jwk] });
  return (authorization) => verifier.verifySync(authorization.slice('Bearer '.length));
}
