import { checkChosenSecret } from '@keyturn/lib/protocol';
import type { ApiKeyReader } from './api-key-cache.ts';
import type { ReadyApiKey } from './ready-api-key.ts';
import { bcryptHashOf } from './secret-hash.ts';
import { type SecretHasher, SecretHasherBusy } from './secret-hasher.ts';
import type { VerifiedSecrets } from './verified-secrets.ts';

/** bcrypt, cost 12, of a secret that nobody knows: compared where there is no hash, so that the time is the same. */
const NOBODYS_BCRYPT_HASH = '$2b$12$xb/c6FLatDEVVZQVcdFjI.bbm3L0kIEYoLcqlGBlZ9LbT71X9yHOq';
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

interface Compared {
  /** Null where there is no key, or none with a chosen secret. */
  readonly hash: string | null;
  readonly isEqual: boolean;
}

export interface ChosenSecretProofOptions {
  readonly apiKeys: Pick<ApiKeyReader, 'findByClientId'>;
  readonly secretHasher: Pick<SecretHasher, 'compare' | 'capacity'>;
  readonly verifiedSecrets: VerifiedSecrets;
}

/**
 * Proves a key by its client_id and chosen secret. What it does depends on what was presented and on what was proven
 * before, never on which clients exist.
 *
 * - A secret that is remembered needs no bcrypt, so its client notices nothing of a flood.
 * - Any other takes a turn before it is looked up: of a flood, neither bcrypt nor the database sees more than the turns.
 * - Equal attempts share one comparison: fifty jobs of one client that start at once.
 */
export function createChosenSecretProof({ apiKeys, secretHasher, verifiedSecrets }: ChosenSecretProofOptions) {
  const inTurn = createTurns(Math.max(1, secretHasher.capacity - TURNS_TO_SPARE));
  const underWay = new Map<string, Promise<Compared>>();

  async function find(clientId: string): Promise<{ key: ReadyApiKey | null; hash: string | null }> {
    const key = await apiKeys.findByClientId(clientId);
    return { key, hash: key && bcryptHashOf(key.secretHash) };
  }

  function compare(name: string, clientId: string, secret: string): Promise<Compared> {
    const shared = underWay.get(name);
    if (shared !== undefined) return shared;
    const comparison = inTurn(clientId, async () => {
      const { hash } = await find(clientId);
      const isEqual = await secretHasher.compare(secret, hash ?? NOBODYS_BCRYPT_HASH);
      return { hash, isEqual };
    }).finally(() => underWay.delete(name));
    underWay.set(name, comparison);
    return comparison;
  }

  async function recall(clientId: string, name: string): Promise<ReadyApiKey | null> {
    const provenHash = verifiedSecrets.hashOf(name);
    if (provenHash === undefined) return null;
    const { key, hash } = await find(clientId);
    return hash === provenHash ? key : null;
  }

  async function prove(clientId: string, name: string, secret: string): Promise<ReadyApiKey | null> {
    const compared = await compare(name, clientId, secret);
    // That took up to a second, in which the key may have been revoked.
    const { key, hash } = await find(clientId);
    // Or its secret changed: what was compared says nothing of the new one.
    if (hash !== compared.hash) throw new SecretHasherBusy();
    if (hash === null || !compared.isEqual) return null;
    verifiedSecrets.add(name, hash);
    return key;
  }

  /**
   * @param secrets readings of one secret, tried in order
   * @throws {SecretHasherBusy | DependencyUnavailable}
   */
  return async function proveChosenSecret(clientId: string, secrets: readonly string[]): Promise<ReadyApiKey | null> {
    const readings = secrets
      .filter((secret) => checkChosenSecret(secret) === null)
      .map((secret) => ({ secret, name: verifiedSecrets.nameOf(clientId, secret) }));
    // All are recalled before one is compared: the right reading may be the second, and must not wait for the wrong one.
    for (const { name } of readings) {
      const key = await recall(clientId, name);
      if (key !== null) return key;
    }
    for (const { name, secret } of readings) {
      const key = await prove(clientId, name, secret);
      if (key !== null) return key;
    }
    return null;
  };
}
