/** What must and must not compile against @keyturn/lib. Never run. */
import { type AccessToken, createVerifier, type VerificationErrorCode, type Verifier } from '@keyturn/lib';
import {
  type AuthenticateOptions,
  accessTokenOf,
  authenticate,
  type BearerFailureCode,
  requirePermission,
} from '@keyturn/lib/express';
import { createBearerStrategy } from '@keyturn/lib/passport';
import express from 'express';
import passport from 'passport';

declare const verifier: Verifier;
declare const accessToken: AccessToken;

createVerifier({ issuer: 'https://keyturn.example', audience: 'a' });
createVerifier({ issuer: 'https://keyturn.example', audience: ['a', 'b'], algorithms: ['ES256'], ipAllowlist: null });
createVerifier({ issuer: 'https://keyturn.example', audience: null, jwks: () => ({ keys: [] }) });
createVerifier({ issuer: 'https://keyturn.example', audience: 'a', rememberedTokens: null });
createVerifier({ issuer: 'https://keyturn.example', audience: 'a', rememberedTokens: 100, rememberedBytes: 2 ** 20 });
// @ts-expect-error only null switches the memory off
createVerifier({ issuer: 'https://keyturn.example', audience: 'a', rememberedTokens: false });
// @ts-expect-error the audience can't be forgotten
createVerifier({ issuer: 'https://keyturn.example' });
// @ts-expect-error nor the issuer
createVerifier({ audience: 'a' });
// @ts-expect-error undefined does not switch a check off
createVerifier({ issuer: 'https://keyturn.example', audience: undefined });
// @ts-expect-error only null switches the allowlist off
createVerifier({ issuer: 'https://keyturn.example', audience: 'a', ipAllowlist: false });
// @ts-expect-error no symmetric algorithm
createVerifier({ issuer: 'https://keyturn.example', audience: 'a', algorithms: ['HS256'] });

void verifier.verify('token', { ip: '203.0.113.7' });
void verifier.verify('token', { ip: null });
void verifier.verify(['not a token'], { ip: undefined });
// @ts-expect-error the caller's address can't be forgotten
void verifier.verify('token');
// @ts-expect-error nor left out
void verifier.verify('token', {});

accessToken.can('read:credential') satisfies boolean;
accessToken.narrow('read:credential').includes('prod-db') satisfies boolean;
accessToken.expiresAtSeconds satisfies number;
// @ts-expect-error immutable
accessToken.keyId = 'x';
// @ts-expect-error immutable at depth
accessToken.permissions.push('*:*');
// @ts-expect-error claims are unknown until they are looked at
accessToken.claims['tenant'] satisfies string;
// @ts-expect-error the token's text is not kept
accessToken.token;

const code = 'token_expired' satisfies VerificationErrorCode;
code satisfies BearerFailureCode;
// @ts-expect-error the union is closed
'token_stale' satisfies VerificationErrorCode;

const app = express();
app.use(authenticate(verifier));
app.use(authenticate(verifier, { trustedProxies: ['10.0.0.0/8'], realm: 'x' }));
app.use(
  authenticate(verifier, { clientIp: (req) => req.ip ?? null, respond: (res, failure) => void res.json(failure.code) }),
);
// @ts-expect-error Express' trust proxy settings are not taken
true satisfies AuthenticateOptions['trustedProxies'];
// @ts-expect-error nor hop counts
1 satisfies AuthenticateOptions['trustedProxies'];
// @ts-expect-error a verifier is needed
authenticate();
app.get('/credentials/:id', requirePermission('read:credential/:id'), (req) => {
  req.auth?.can('read:credential') satisfies boolean | undefined;
  accessTokenOf(req).can('read:credential') satisfies boolean;
  // @ts-expect-error a route may stand in front of authenticate
  req.auth.can('read:credential');
});

passport.use(createBearerStrategy(verifier, { realm: 'x' }));
// @ts-expect-error a verifier is needed
createBearerStrategy({});
