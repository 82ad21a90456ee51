import { describe, expect, test } from '@jest/globals';
import { formatGeneratedSecret } from '@keyturn/lib/protocol';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { createClientAuthenticator } from '../../../server/api-keys/authenticate-client.ts';
import { type ReadyApiKey, readyApiKey } from '../../../server/api-keys/ready-api-key.ts';
import { hashGeneratedSecret, tagBcryptHash } from '../../../server/api-keys/secret-hash.ts';
import { createVerifiedSecrets } from '../../../server/api-keys/verified-secrets.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const CHOSEN = '9011@83sd!f1042ds+f19fg86M';
const SUFFIXES = { generated: 'a'.repeat(25), chosen: 'b'.repeat(25), unknown: 'c'.repeat(25) };
const generatedSecret = (suffix: string, random = 'R') => formatGeneratedSecret(suffix, random.repeat(43));
const secretOfGenerated = generatedSecret(SUFFIXES.generated);

const SALT = '$2b$12$'.padEnd(29, '.');

const keyOf = (name: 'generated' | 'chosen', secretHash: string) =>
  readyApiKey({
    id: `key_${name}`,
    clientId: `${name}_${SUFFIXES[name]}`,
    secretHash,
    secretVersion: 1,
    previousSecret: null,
  } as ApiKeyForExchange);

/** Counts what an attacker could time: lookups and bcrypt comparisons. */
function setUp() {
  const keys = [
    keyOf('generated', hashGeneratedSecret(secretOfGenerated)),
    keyOf('chosen', tagBcryptHash(`${SALT}${CHOSEN}`)),
  ];
  const cost = { lookups: 0, comparisons: 0 };
  const find = async (isIt: (key: ReadyApiKey) => boolean) => {
    cost.lookups += 1;
    return keys.find(isIt) ?? null;
  };
  const clock = createFakeClock();
  const authenticate = createClientAuthenticator({
    apiKeys: {
      findByClientId: (clientId: string) => find((key) => key.clientId === clientId),
      findByClientIdSuffix: (suffix: string) => find((key) => key.clientId.endsWith(`_${suffix}`)),
    },
    secretHasher: {
      capacity: 5,
      async hash(secret, salt = '') {
        cost.comparisons += 1;
        return `${salt}${secret}`;
      },
    },
    verifiedSecrets: createVerifiedSecrets(clock),
    clock,
  });
  const attempt = async (clientId: string | null, ...secrets: string[]) => {
    Object.assign(cost, { lookups: 0, comparisons: 0 });
    const proven = await authenticate({ clientId, secrets });
    return { id: proven?.key.id ?? null, ...cost };
  };
  return { attempt, clock };
}

const generatedId = `generated_${SUFFIXES.generated}`;
const chosenId = `chosen_${SUFFIXES.chosen}`;
const unknownId = `unknown_${SUFFIXES.unknown}`;

describe('a generated secret', () => {
  test('proves its key alone and with its client_id, for one lookup and no bcrypt', async () => {
    const { attempt } = setUp();
    const proven = { id: 'key_generated', lookups: 1, comparisons: 0 };
    expect(await attempt(null, secretOfGenerated)).toEqual(proven);
    expect(await attempt(generatedId, secretOfGenerated)).toEqual(proven);
  });

  test.each([
    ['of an unknown key', null, generatedSecret(SUFFIXES.unknown)],
    ['that is wrong', null, generatedSecret(SUFFIXES.generated, 'S')],
    ['of another client_id', chosenId, secretOfGenerated],
    ['that names a key with a chosen secret', null, generatedSecret(SUFFIXES.chosen)],
  ])('%s costs exactly what a right one costs', async (_name, clientId, secret) => {
    expect(await setUp().attempt(clientId, secret)).toEqual({ id: null, lookups: 1, comparisons: 0 });
  });

  test.each([
    ['cut off', secretOfGenerated.slice(0, -1)],
    ['mistyped', secretOfGenerated.replace('RRRR', 'RRSR')],
    ['with a line break behind it', `${secretOfGenerated}\n`],
  ])('%s is refused without touching storage', async (_name, secret) => {
    expect(await setUp().attempt(generatedId, secret)).toEqual({ id: null, lookups: 0, comparisons: 0 });
  });
});

describe('the generated secret before the last', () => {
  const newer = generatedSecret(SUFFIXES.generated, 'N');
  const key = (clock: { nowMs(): number }) =>
    readyApiKey({
      ...keyOf('generated', hashGeneratedSecret(newer)),
      secretVersion: 7,
      previousSecret: {
        hash: hashGeneratedSecret(secretOfGenerated),
        hint: '',
        createdAtMs: 1,
        expiresAtMs: clock.nowMs() + 1000,
        lastUsedAtMs: null,
      },
    });

  test('proves the key until its end, at the same cost', async () => {
    const clock = createFakeClock();
    const known = key(clock);
    let lookups = 0;
    const authenticate = createClientAuthenticator({
      apiKeys: {
        findByClientId: async () => null,
        async findByClientIdSuffix() {
          lookups += 1;
          return known;
        },
      },
      secretHasher: { capacity: 5, hash: async () => '' },
      verifiedSecrets: createVerifiedSecrets(clock),
      clock,
    });
    const versionOf = async (secret: string) =>
      (await authenticate({ clientId: null, secrets: [secret] }))?.secretVersion ?? null;
    expect(await versionOf(newer)).toBe(7);
    expect(await versionOf(secretOfGenerated)).toBe(6);
    clock.advance(1000);
    expect(await versionOf(secretOfGenerated)).toBeNull();
    expect(await versionOf(newer)).toBe(7);
    expect(lookups).toBe(4);
  });
});

describe('a chosen secret', () => {
  const COMPARED = { lookups: 2, comparisons: 1 };

  test('proves its key with its client_id, which is looked up before the comparison and after it', async () => {
    expect(await setUp().attempt(chosenId, CHOSEN)).toEqual({ id: 'key_chosen', ...COMPARED });
  });

  test.each([
    ['of an unknown client_id', unknownId, CHOSEN],
    ['that is wrong', chosenId, `${CHOSEN}x`],
    ['for a key with a generated one', generatedId, CHOSEN],
  ])('%s costs exactly what a right one costs', async (_name, clientId, secret) => {
    expect(await setUp().attempt(clientId, secret)).toEqual({ id: null, ...COMPARED });
  });

  test.each([
    ['too short to be one', 'Short1!'],
    ['longer than bcrypt reads', `${'aB3'.repeat(25)}`],
    ['of too few kinds of characters', 'alllowercaseletters'],
  ])('%s is refused for nothing, whoever it is for', async (_name, secret) => {
    const { attempt } = setUp();
    for (const clientId of [chosenId, unknownId])
      expect(await attempt(clientId, secret)).toEqual({ id: null, lookups: 0, comparisons: 0 });
  });

  test('without a client_id names nobody', async () => {
    expect(await setUp().attempt(null, CHOSEN)).toEqual({ id: null, lookups: 0, comparisons: 0 });
  });

  test('once proven is not compared again as long as it is remembered; wrong ones always are', async () => {
    const { attempt, clock } = setUp();
    await attempt(chosenId, CHOSEN);
    expect(await attempt(chosenId, CHOSEN)).toEqual({ id: 'key_chosen', lookups: 1, comparisons: 0 });
    for (let time = 0; time < 2; time += 1)
      expect(await attempt(chosenId, `${CHOSEN}x`)).toEqual({ id: null, ...COMPARED });
    clock.advance(25 * 3_600_000);
    expect(await attempt(chosenId, CHOSEN)).toEqual({ id: 'key_chosen', ...COMPARED });
  });

  test('is proven by any of its readings, and from then on without comparing those before it', async () => {
    const { attempt } = setUp();
    const readings = ['read Otherw1se', CHOSEN];
    expect(await attempt(chosenId, ...readings)).toMatchObject({ id: 'key_chosen', comparisons: 2 });
    expect(await attempt(chosenId, ...readings)).toEqual({ id: 'key_chosen', lookups: 1, comparisons: 0 });
  });
});
