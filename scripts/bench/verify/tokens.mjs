/* The tokens that every verifier of the suite is given: like Keyturn's own, ES256, three permissions. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

export const ISSUER = 'https://keyturn.example';
export const AUDIENCE = 'https://credentials.example';
/** In every allowlist here: where the load comes from. */
export const CALLER_IP = '127.0.0.1';
/** What routes are asked for, and every token covers: by a wildcard, so that it has to be matched. */
export const ENTITY = 'prod-0-db';
const KID = 'bench-1';

export function createIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256', use: 'sig' };
  let minted = 0;
  return {
    setup: { issuer: ISSUER, audience: AUDIENCE, jwk },
    /** @param size how many `permissions` and `allowlist` entries; `asLongAs` another size: filled up to its length */
    mint({ asLongAs, ...size } = {}) {
      minted += 1;
      const claims = claimsOf(minted, size);
      const missing = asLongAs === undefined ? 0 : lengthOf(claimsOf(minted, asLongAs)) - lengthOf(claims);
      const filled = missing === 0 ? claims : { ...claims, note: 'x'.repeat(missing - ',"note":""'.length) };
      const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: KID })}.${encode(filled)}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function claimsOf(number, { permissions = 3, allowlist = 0 }) {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    sub: 'key_01jd0000000000000000000000',
    client_id: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
    aud: AUDIENCE,
    iat: nowSeconds,
    exp: nowSeconds + 7200,
    jti: String(number).padStart(26, '0'),
    scope: Array.from({ length: permissions }, (_, index) => `read:credential/prod-${index}-*`).join(' '),
    project: 'prj_01jd0000000000000000000000',
    sid: 'ses_01jd0000000000000000000000',
    ...(allowlist > 0 && { ip_allowlist: allowlistOf(allowlist) }),
  };
}

const lengthOf = (claims) => JSON.stringify(claims).length;

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function allowlistOf(count) {
  const middle = count >> 1;
  return Array.from({ length: count }, (_, index) => (index === middle ? CALLER_IP : `198.51.${index}.0/24`));
}

/**
 * Writes Authorization headers for the contenders to read, who then have the very same tokens.
 *
 * @returns `{ file, count, bytes }`, `bytes` being what each takes: tokens of one kind are of one length
 */
export function writePool(folder, name, tokens) {
  const file = path.join(folder, `${name}.txt`);
  const headers = tokens.map((token) => `Bearer ${token}`);
  const bytes = headers[0].length;
  if (headers.some(({ length }) => length !== bytes)) throw new Error(`the tokens of ${name} differ in length`);
  writeFileSync(file, headers.join(''), { mode: 0o600 });
  return { file, count: tokens.length, bytes };
}
