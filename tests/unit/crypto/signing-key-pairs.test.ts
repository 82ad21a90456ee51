import { createPublicKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, importJWK, type JWK, jwtVerify } from 'jose';
import { accessTokenHeader } from '../../../server/access-tokens/token-signer.ts';
import { createSigningKeyPairs } from '../../../server/crypto/key-pairs.ts';
import { EnvelopeRejected, MasterKeyMismatch, parseMasterKeys } from '../../../server/crypto/master-key.ts';
import { SIGNING_ALGORITHMS, type SigningKey } from '../../../server/signing-keys/signing-key.ts';
import type { NewSigningKeyPair } from '../../../server/signing-keys/signing-key-pairs.ts';

const newKeyPairs = () => createSigningKeyPairs(parseMasterKeys(randomBytes(32).toString('base64')));

function signingKey(pair: NewSigningKeyPair): SigningKey {
  return { ...pair, sequence: 1, createdAtMs: 0, activeFromMs: 0, retiringFromMs: null, retiredFromMs: null };
}

describe.each(SIGNING_ALGORITHMS)('%s', (algorithm) => {
  test('is verified by jose with the published key', async () => {
    const keyPairs = newKeyPairs();
    const pair = await keyPairs.generate(algorithm);
    const signer = keyPairs.signer(signingKey(pair));
    const token = signer.sign({ sub: 'key_1', note: 'ünïcode' });
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(pair.publicJwk as JWK, algorithm), {
      algorithms: [algorithm],
    });
    expect(payload).toEqual({ sub: 'key_1', note: 'ünïcode' });
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: pair.kid });
    const [header = '', , signature = ''] = token.split('.');
    expect(Buffer.from(header, 'base64url').toString()).toBe(accessTokenHeader(signer));
    expect(Buffer.from(signature, 'base64url')).toHaveLength(signer.signatureBytes);
  });

  test('publishes no private member, and the RFC 7638 thumbprint as kid', async () => {
    const { kid, publicJwk } = await newKeyPairs().generate(algorithm);
    expect(publicJwk).toMatchObject({ kid, alg: algorithm, use: 'sig' });
    expect(kid).toBe(await calculateJwkThumbprint(publicJwk as JWK));
    const publicMembers = new Set(['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use']);
    expect(Object.keys(publicJwk).filter((member) => !publicMembers.has(member))).toEqual([]);
  });
});

test('a kid can be typed as an argument: none begins with a dash', async () => {
  const keyPairs = newKeyPairs();
  // One thumbprint in 64 would.
  const pairs = await Promise.all(Array.from({ length: 400 }, () => keyPairs.generate('ES256')));
  expect(pairs.filter(({ kid }) => kid.startsWith('-'))).toEqual([]);
});

test('an RSA key has 2048 bits, and signatures of 256 bytes', async () => {
  const keyPairs = newKeyPairs();
  const pair = await keyPairs.generate('RS256');
  const publicKey = createPublicKey({ key: pair.publicJwk as JWK, format: 'jwk' });
  expect(publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  expect(keyPairs.signer(signingKey(pair)).signatureBytes).toBe(256);
});

test('a private key opens under its own kid alone', async () => {
  const keyPairs = newKeyPairs();
  const [a, b] = [await keyPairs.generate('ES256'), await keyPairs.generate('ES256')];
  expect(() => keyPairs.signer(signingKey({ ...b, encryptedPrivateKey: a.encryptedPrivateKey }))).toThrow(
    EnvelopeRejected,
  );
  expect(keyPairs.signer(signingKey(a)).kid).toBe(a.kid);
});

test('another master key is named', async () => {
  const pair = await newKeyPairs().generate('EdDSA');
  expect(() => newKeyPairs().signer(signingKey(pair))).toThrow(MasterKeyMismatch);
});

test('a signature by another key of the same algorithm is refused', async () => {
  const keyPairs = newKeyPairs();
  const [a, b] = [await keyPairs.generate('EdDSA'), await keyPairs.generate('EdDSA')];
  const token = keyPairs.signer(signingKey(a)).sign({ sub: 'key_1' });
  await expect(jwtVerify(token, await importJWK(b.publicJwk as JWK, 'EdDSA'))).rejects.toThrow('signature');
});
