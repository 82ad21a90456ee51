import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { createSigningKeyPairs } from '../../../server/crypto/key-pairs.ts';
import { parseMasterKeys } from '../../../server/crypto/master-key.ts';
import { createSigningKeyRing, type SigningKeyRing } from '../../../server/signing-keys/signing-key-ring.ts';
import { MemorySigningKeyStore } from './memory-signing-key-store.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const START = Date.UTC(2030, 0, 1);
const TOKEN_SECONDS = 3600;
const ROTATIONS = 20;

interface Token {
  readonly text: string;
  readonly kid: string;
  /** By the clock of the instance that signed it. */
  readonly expiresAtMs: number;
}

/** Keeps the JWKS for its max-age and never asks again for an unknown kid: the strictest that a sibling may be. */
class CachingVerifier {
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #jwks: JSONWebKeySet = { keys: [] };
  #findKey = createLocalJWKSet(this.#jwks);

  keepFresh(nowMs: number, instance: SigningKeyRing): void {
    if (nowMs - this.#fetchedAtMs < 10 * MINUTE) return;
    this.#fetchedAtMs = nowMs;
    this.#jwks = instance.jwks() as unknown as JSONWebKeySet;
    this.#findKey = createLocalJWKSet(this.#jwks);
  }

  knows(kid: string): boolean {
    return this.#jwks.keys.some((key) => key.kid === kid);
  }

  async verify({ text }: Token, nowMs: number): Promise<void> {
    await jwtVerify(text, this.#findKey, { currentDate: new Date(nowMs), clockTolerance: 60 });
  }
}

function issue(instance: SigningKeyRing, nowMs: number): Token {
  const exp = Math.floor(nowMs / SECOND) + TOKEN_SECONDS;
  const signer = instance.signer();
  return { text: signer.sign({ sub: 'key_1', exp }), kid: signer.kid, expiresAtMs: exp * SECOND };
}

/** Two instances on one store whose clocks differ, each reloading every 30 s; two verifiers that ask them in turn. */
async function simulate(skewMs: readonly [number, number]) {
  let nowMs = START;
  const store = new MemorySigningKeyStore();
  const keyPairs = createSigningKeyPairs(parseMasterKeys(randomBytes(32).toString('base64')));
  const instances = skewMs.map((skew) => ({
    skew,
    ring: createSigningKeyRing({
      store,
      keyPairs,
      clock: { nowMs: () => nowMs + skew },
      algorithm: 'ES256',
      rotationDays: 0,
      accessTokenSeconds: TOKEN_SECONDS,
    }),
  }));
  for (const { ring } of instances) await ring.load();
  const verifiers = [new CachingVerifier(), new CachingVerifier()];
  const kidsThatSigned = new Set<string>();
  const failures: string[] = [];
  let live: Token[] = [];
  let verified = 0;

  for (
    let step = 0;
    kidsThatSigned.size <= ROTATIONS || live.length > 0;
    step += 1, nowMs = START + step * 30 * SECOND
  ) {
    const isOver = kidsThatSigned.size > ROTATIONS;
    // Each rotates in turn, just after the other has reloaded; every 43 steps, so that over the 20 rotations the fetches of
    // the JWKS, every 20 steps, fall on each moment of a rotation.
    for (const { ring } of instances) await ring.load();
    const turn = instances[kidsThatSigned.size % 2]?.ring;
    if (step % 43 === 42 && !isOver) await turn?.rotate();
    const born = isOver ? [] : instances.map(({ ring, skew }) => issue(ring, nowMs + skew));
    for (const { kid } of born) kidsThatSigned.add(kid);
    const dying = live.filter(({ expiresAtMs }) => expiresAtMs <= nowMs - 30 * SECOND);
    for (const [index, verifier] of verifiers.entries()) {
      const asked = instances[(step + index) % 2]?.ring;
      if (asked) verifier.keepFresh(nowMs, asked);
      // A signature costs time, so it is checked in a token's first and last step; between them that its key is known.
      for (const { kid } of live) if (!verifier.knows(kid)) failures.push(`step ${step}: ${kid} is unknown`);
      for (const token of [...born, ...dying]) {
        await verifier.verify(token, nowMs).catch((error) => failures.push(`step ${step}: ${error}`));
        verified += 1;
      }
    }
    live = [...live, ...born].filter((token) => !dying.includes(token));
  }
  return { failures, verified, rotations: kidsThatSigned.size - 1 };
}

describe(`${ROTATIONS} rotations, siblings that cache the JWKS for 10 minutes`, () => {
  test.each([
    ['equal clocks', [0, 0]],
    ['the second instance 4 minutes ahead', [0, 4 * MINUTE]],
    ['the second instance 4 minutes behind', [0, -4 * MINUTE]],
  ] as const)('%s: no token is ever unverifiable', async (_, skewMs) => {
    const { failures, verified, rotations } = await simulate(skewMs);
    expect(failures).toEqual([]);
    expect(rotations).toBe(ROTATIONS);
    expect(verified).toBeGreaterThan(2000);
  });
});
