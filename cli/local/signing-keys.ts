import { migrationStatus } from '../../db/sql/migrate.ts';
import { SqlSigningKeyStore } from '../../db/sql/sql-signing-key-store.ts';
import { systemClock } from '../../server/clock.ts';
import type { Storage } from '../../server/compose-storage.ts';
import { createSigningKeyPairs } from '../../server/crypto/key-pairs.ts';
import type { SigningKey } from '../../server/signing-keys/signing-key.ts';
import { activeKey } from '../../server/signing-keys/signing-key-lifecycle.ts';
import { summarizeSigningKeys } from '../../server/signing-keys/summarize-signing-keys.ts';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { formatTable } from '../table.ts';
import { withStorage } from './with-storage.ts';

const toTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

function toJson(keys: readonly SigningKey[]) {
  return summarizeSigningKeys(keys, systemClock.nowMs()).map((key) => ({
    kid: key.kid,
    state: key.state,
    algorithm: key.algorithm,
    created_at: toTime(key.createdAtMs),
    active_from: toTime(key.activeFromMs),
    retiring_from: toTime(key.retiringFromMs),
    retired_from: toTime(key.retiredFromMs),
  }));
}

/** Read from the store: the ring of the service would also do what the settings ask for, such as rotate. */
export async function storedSigningKeys({ database }: Storage): Promise<readonly SigningKey[]> {
  const { pending } = await migrationStatus(database);
  if (pending.length === 0) return new SqlSigningKeyStore(database).list();
  throw new CommandFailure(EXIT_CODES.failed, 'schema_not_at_head', 'the schema is not at head: run keyturn migrate');
}

/**
 * A key encrypted under another master key than the service's would stop it from signing when its turn comes.
 *
 * @throws {MasterKeyMismatch}
 */
export function assertMasterKeyFits({ masterKeys }: Storage, keys: readonly SigningKey[]): void {
  const active = activeKey(keys, systemClock.nowMs());
  if (active !== null) createSigningKeyPairs(masterKeys).signer(active);
}

export function listSigningKeys(output: Output): Promise<void> {
  return withStorage(output, async (storage) => {
    const keys = toJson(await storedSigningKeys(storage));
    const rows = keys.map((key) => Object.values(key).map((value) => value ?? '-'));
    const headings = ['kid', 'state', 'algorithm', 'created at', 'active from', 'retiring from', 'retired from'];
    output.result(keys, formatTable(headings, rows));
    if (keys.length === 0) output.note('None yet: the service makes the first one when it starts.');
  });
}

export function rotateSigningKey(output: Output): Promise<void> {
  return withStorage(output, async (storage) => {
    assertMasterKeyFits(storage, await storedSigningKeys(storage));
    const { kid } = await storage.signingKeys.rotate();
    const added = toJson(await storedSigningKeys(storage)).find((key) => key.kid === kid);
    output.result(added, `${kid} takes over at ${added?.active_from}`);
    if (added?.state === 'pending')
      output.note('Until then it is only published, so that every verifier knows it by then.');
  });
}

export function revokeSigningKey(output: Output, kid: string): Promise<void> {
  return withStorage(output, async (storage) => {
    assertMasterKeyFits(storage, await storedSigningKeys(storage));
    if (!(await storage.signingKeys.revoke(kid))) {
      const message = 'no such signing key, or it has retired already; see keyturn signing-keys list';
      throw new CommandFailure(EXIT_CODES.failed, 'not_found', message);
    }
    const keys = toJson(await storedSigningKeys(storage));
    const active = keys.find(({ state }) => state === 'active');
    output.result(
      keys.find((key) => key.kid === kid),
      `${kid} is revoked; ${active?.kid} signs`,
    );
    output.note('Tokens that it signed are refused as soon as a verifier reads the key set again: within 10 minutes.');
  });
}
