/* passport-jwt: by its README, but for the key: a KeyObject, because a PEM text would be parsed for every request. */
import { createPublicKey } from 'node:crypto';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

export function createGuards({ issuer, audience, jwk }) {
  const options = {
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    secretOrKey: createPublicKey({ key: jwk, format: 'jwk' }),
    issuer,
    audience,
    algorithms: ['ES256'],
  };
  passport.use(new Strategy(options, (payload, done) => done(null, payload)));
  return [passport.authenticate('jwt', { session: false })];
}
