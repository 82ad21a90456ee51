import { checkChosenSecret } from '@keyturn/lib/protocol';
import type { Clock } from '../clock.ts';
import type { ApiKeyReader } from './api-key-cache.ts';
import type { ProvenKey, ReadyApiKey } from './ready-api-key.ts';
import { bcryptSaltOf, isSameBcryptHash } from './secret-hash.ts';
import { type SecretHasher, SecretHasherBusy } from './secret-hasher.ts';
import type { VerifiedSecrets } from './verified-secrets.ts';

/** bcrypt, cost 12: hashed with where there is no chosen secret, so that the time is the same. */
const NOBODYS_SALT = '$2b$12$xb/c6FLatDEVVZQVcdFjI.';
/** A client whose secret is being guessed leaves the others their turn. */
const MAX_TURNS_OF_ONE_CLIENT = 2;
/** Left for the administrator who sets a secret, perhaps because of the flood. */
const TURNS_TO_SPARE = 1;

/** Does work in a client's turn, at once or not at all: throws {@link SecretHasherBusy} when there is none left. */
function createTurns(maxTurns: number) {
  const taken: string[] = [];
  return async function inTurn<Result>(clientId: string, work: () => Promise<Result>): Promise<Result> {
    const own = taken.filter((other) => other === clientId).length;
    if (taken.length >= maxTurns || own >= MAX_TURNS_OF_ONE_CLIENT) throw new SecretHasherBusy();
    taken.push(clientId);
    try {
      return await work();
    } finally {
      taken.splice(taken.indexOf(clientId), 1);
    }
  };
}

interface ChosenSecret {
  readonly secretVersion: number;
  readonly bcryptHash: string;
}

interface Found {
  readonly key: ReadyApiKey | null;
  /** The chosen ones of the secrets that prove it now: none, one or two. */
  readonly chosen: readonly ChosenSecret[];
  readonly salt: string;
}

export interface ChosenSecretProofOptions {
  readonly apiKeys: Pick<ApiKeyReader, 'findByClientId'>;
  readonly secretHasher: Pick<SecretHasher, 'hash' | 'capacity'>;
  readonly verifiedSecrets: VerifiedSecrets;
  readonly clock: Clock;
}

/**
 * Proves a key by its client_id and chosen secret. What it does depends on what was presented and on what was proven
 * before, never on which clients exist.
 *
 * - A secret that is remembered needs no bcrypt, so its client notices nothing of a flood.
 * - Any other takes a turn before it is looked up: of a flood, neither bcrypt nor the database sees more than the turns.
 * - Equal attempts share one bcrypt: fifty jobs of one client that start at once.
 * - A key that has two chosen secrets for a while has them with one salt ({@link makeSecret}): one bcrypt tells
 *   whether it is either of them, and takes no longer than for a key with one, or none, or no key.
 */
export function createChosenSecretProof({ apiKeys, secretHasher, verifiedSecrets, clock }: ChosenSecretProofOptions) {
  const inTurn = createTurns(Math.max(1, secretHasher.capacity - TURNS_TO_SPARE));
  const underWay = new Map<string, Promise<string>>();

  async function find(clientId: string): Promise<Found> {
    const key = await apiKeys.findByClientId(clientId);
    const chosen = (key?.rules.secretsAt(clock.nowMs()) ?? []).flatMap(({ secretVersion, bcryptHash }) =>
      bcryptHash === null ? [] : [{ secretVersion, bcryptHash }],
    );
    const [first] = chosen;
    return { key, chosen, salt: first === undefined ? NOBODYS_SALT : bcryptSaltOf(first.bcryptHash) };
  }

  /** As the client's own secret would be stored. */
  function hash(name: string, clientId: string, secret: string): Promise<string> {
    const shared = underWay.get(name);
    if (shared !== undefined) return shared;
    const hashing = inTurn(clientId, async () => {
      const { salt } = await find(clientId);
      return secretHasher.hash(secret, salt);
    }).finally(() => underWay.delete(name));
    underWay.set(name, hashing);
    return hashing;
  }

  function provenBy({ key, chosen }: Found, bcryptHash: string): ProvenKey | null {
    const proving = chosen.find((one) => isSameBcryptHash(one.bcryptHash, bcryptHash));
    return key === null || proving === undefined ? null : { key, secretVersion: proving.secretVersion };
  }

  async function recall(clientId: string, name: string): Promise<ProvenKey | null> {
    const provenHash = verifiedSecrets.hashOf(name);
    return provenHash === undefined ? null : provenBy(await find(clientId), provenHash);
  }

  async function prove(clientId: string, name: string, secret: string): Promise<ProvenKey | null> {
    const bcryptHash = await hash(name, clientId, secret);
    // That took up to a second, in which the key may have been revoked.
    const found = await find(clientId);
    // Or its secret changed: what was hashed says nothing of the new one.
    if (found.salt !== bcryptSaltOf(bcryptHash)) throw new SecretHasherBusy();
    const proven = provenBy(found, bcryptHash);
    if (proven !== null) verifiedSecrets.add(name, bcryptHash);
    return proven;
  }

  /**
   * @param secrets readings of one secret, tried in order
   * @throws {SecretHasherBusy | DependencyUnavailable}
   */
  return async function proveChosenSecret(clientId: string, secrets: readonly string[]): Promise<ProvenKey | null> {
    const readings = secrets
      .filter((secret) => checkChosenSecret(secret) === null)
      .map((secret) => ({ secret, name: verifiedSecrets.nameOf(clientId, secret) }));
    // All are recalled before one is hashed: the right reading may be the second, and must not wait for the wrong one.
    for (const { name } of readings) {
      const proven = await recall(clientId, name);
      if (proven !== null) return proven;
    }
    for (const { name, secret } of readings) {
      const proven = await prove(clientId, name, secret);
      if (proven !== null) return proven;
    }
    return null;
  };
}
