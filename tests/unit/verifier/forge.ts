/** Makes keys and tokens, good and bad, without the code under test: node:crypto alone. */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, SigningAlgorithm, VerificationError, VerificationErrorCode } from '@keyturn/lib';

export const ISSUER = 'https://keyturn.example';
export const AUDIENCE = 'https://credentials.example';
export const NOW_SECONDS = 1_800_000_000;

/** Stands still until it is moved. */
export class FakeClock implements Clock {
  #nowMs = NOW_SECONDS * 1000;

  nowMs(): number {
    return this.#nowMs;
  }

  advanceSeconds(seconds: number): void {
    this.#nowMs += seconds * 1000;
  }
}

export interface ForgeKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function createKey(algorithm: SigningAlgorithm = 'ES256', kid = `kid-${algorithm}`, rsaBits = 2048): ForgeKey {
  const { privateKey, publicKey } = createPair(algorithm, rsaBits);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

function createPair(algorithm: SigningAlgorithm, rsaBits: number) {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: rsaBits });
  }
}

export type Members = Readonly<Record<string, unknown>>;

export function claimsOf(changes: Members = {}): Members {
  return {
    iss: ISSUER,
    sub: 'key_01jd0000000000000000000000',
    client_id: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
    aud: AUDIENCE,
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 7200,
    jti: 'token-1',
    project: 'prj_01jd0000000000000000000000',
    sid: 'ses_01jd0000000000000000000000',
    scope: 'read:credential/prod-* update:credential/prod-db',
    ...changes,
  };
}

/** A valid token but for the changes; `undefined` leaves a member out. */
export function signToken(key: ForgeKey, claims: Members = {}, header: Members = {}): string {
  const fullHeader = { alg: key.algorithm, typ: 'at+jwt', kid: key.kid, ...header };
  return signTexts(key, JSON.stringify(fullHeader), JSON.stringify(claimsOf(claims)));
}

/** Signs header and payload texts as they are, however odd. */
export function signTexts(key: ForgeKey, headerText: string, payloadText: string | Buffer): string {
  const signingInput = `${base64url(headerText)}.${base64url(payloadText)}`;
  return `${signingInput}.${signBytes(key, signingInput).toString('base64url')}`;
}

export function base64url(text: string | Buffer): string {
  return Buffer.from(text as string).toString('base64url');
}

function signBytes({ algorithm, privateKey: key }: ForgeKey, text: string): Buffer {
  const bytes = Buffer.from(text);
  switch (algorithm) {
    case 'ES256':
      return sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, bytes, key);
    case 'RS256':
      return sign('sha256', bytes, key);
    case 'PS256':
      return sign('sha256', bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
  }
}

/** The code with which a verification fails, or `accepted`. */
export async function outcomeOf(verification: Promise<unknown>): Promise<VerificationErrorCode | 'accepted' | string> {
  try {
    await verification;
    return 'accepted';
  } catch (error) {
    return (error as VerificationError).code ?? String(error);
  }
}

export interface Listener {
  readonly url: string;
  /** Requests so far. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

/** A local HTTP server on a free port that counts its requests. */
export async function listen(answer: RequestListener): Promise<Listener> {
  let requests = 0;
  const server = createServer((req, res) => {
    requests += 1;
    answer(req, res);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
