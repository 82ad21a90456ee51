import type { Knex } from 'knex';
import type { SigningKey } from '../../server/signing-keys/signing-key.ts';
import type { SigningKeyRetirement, SigningKeyStore } from '../../server/signing-keys/signing-key-store.ts';
import type { Database } from './database.ts';
import { violatesUnique } from './database-error.ts';

interface SigningKeyRow {
  readonly sequence: number;
  readonly kid: string;
  readonly algorithm: SigningKey['algorithm'];
  readonly public_jwk: string;
  readonly encrypted_private_key: string;
  readonly created_at_ms: number;
  readonly active_from_ms: number;
  readonly retiring_from_ms: number | null;
  readonly retired_from_ms: number | null;
}

export class SqlSigningKeyStore implements SigningKeyStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<readonly SigningKey[]> {
    const rows = await this.#database.run((knex) => knex<SigningKeyRow>('signing_keys').orderBy('sequence'));
    return rows.map(toSigningKey);
  }

  async add(key: SigningKey, retirements: readonly SigningKeyRetirement[]): Promise<boolean> {
    return this.#database.transaction(async (trx) => {
      try {
        await trx('signing_keys').insert(fromSigningKey(key));
      } catch (error) {
        if (isSequenceTaken(error)) return false;
        throw error;
      }
      await endKeys(trx, retirements);
      return true;
    });
  }

  async retire(retirements: readonly SigningKeyRetirement[]): Promise<void> {
    await this.#database.transaction((trx) => endKeys(trx, retirements));
  }
}

async function endKeys(trx: Knex.Transaction, retirements: readonly SigningKeyRetirement[]): Promise<void> {
  for (const { kid, retiringFromMs, retiredFromMs } of retirements) {
    await trx('signing_keys')
      .where({ kid })
      // Equal times are a revocation, and nothing takes that back.
      .where((row) => row.whereNull('retired_from_ms').orWhereRaw('retired_from_ms <> retiring_from_ms'))
      .update({ retiring_from_ms: retiringFromMs, retired_from_ms: retiredFromMs });
  }
}

function isSequenceTaken(error: unknown): boolean {
  return violatesUnique(error, 'PRIMARY', ['signing_keys.sequence']);
}

function fromSigningKey(key: SigningKey): SigningKeyRow {
  return {
    sequence: key.sequence,
    kid: key.kid,
    algorithm: key.algorithm,
    public_jwk: JSON.stringify(key.publicJwk),
    encrypted_private_key: key.encryptedPrivateKey,
    created_at_ms: key.createdAtMs,
    active_from_ms: key.activeFromMs,
    retiring_from_ms: key.retiringFromMs,
    retired_from_ms: key.retiredFromMs,
  };
}

function toSigningKey(row: SigningKeyRow): SigningKey {
  return {
    kid: row.kid,
    sequence: row.sequence,
    algorithm: row.algorithm,
    publicJwk: JSON.parse(row.public_jwk),
    encryptedPrivateKey: row.encrypted_private_key,
    createdAtMs: row.created_at_ms,
    activeFromMs: row.active_from_ms,
    retiringFromMs: row.retiring_from_ms,
    retiredFromMs: row.retired_from_ms,
  };
}
