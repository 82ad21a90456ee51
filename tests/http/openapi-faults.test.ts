import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '../../db/sql/database.ts';
import { type Keyturn, startKeyturn } from '../support/keyturn-server.ts';
import { type KeyturnStorage, sqliteStorage } from '../support/keyturn-storage.ts';
import { createOpenApiContract, type OpenApiContract, type Sent } from '../support/openapi-contract.ts';
import { bearer, unique } from '../support/openapi-world.ts';

const CHOSEN_SECRET = 'Chosen-Secret-42-of-the-flood';
/** More than the queue of secrets that wait to be hashed has room for. */
const FLOOD = 40;

/** The statuses that take a fault or a flood, each on one operation of every kind. */
describe('documented answers of a Keyturn in need', () => {
  let storage: KeyturnStorage;
  let keyturn: Keyturn;
  let contract: OpenApiContract;
  let administrator = '';

  beforeEach(async () => {
    storage = await sqliteStorage.open();
    keyturn = await startKeyturn(storage);
    contract = await createOpenApiContract(keyturn);
    administrator = (await keyturn.exchange()).body.access_token;
  });
  afterEach(async () => {
    await keyturn.close();
    await storage.close();
  });

  const statusOf = async (sent: Sent): Promise<number> => (await contract.send(sent)).status;
  const read = (path: string): Sent => ({ method: 'GET', path, headers: bearer(administrator) });
  it('503: a store does not answer in time, or the process is about to end', async () => {
    const headers = bearer(administrator);
    const writes: readonly Sent[] = [
      { method: 'POST', path: '/v1/projects/default/keys', headers, json: { name: unique('key') } },
      { method: 'POST', path: '/v1/projects', headers, json: { name: unique('project') } },
      {
        method: 'POST',
        path: '/v1/session',
        headers: { origin: keyturn.url },
        json: { email: 'a@example.com', password: 'x' },
      },
      {
        method: 'POST',
        path: '/oauth/token',
        headers: { 'x-api-key': keyturn.administrator.clientSecret },
        form: { grant_type: 'client_credentials' },
      },
    ];
    // Somebody else writes for ever.
    const other = openDatabase(storage.environment['DATABASE_URL'] ?? '', { poolMax: 1 });
    await other.run((knex) => knex.raw('BEGIN IMMEDIATE'));
    const statuses = await Promise.all(writes.map(statusOf));
    await other.run((knex) => knex.raw('ROLLBACK'));
    await other.close();
    expect(statuses).toEqual(writes.map(() => 503));
    keyturn.service.drain();
    expect(await statusOf(read('/readyz'))).toBe(503);
  });

  it('500: a fault of its own', async () => {
    await keyturn.service.storage.database.run((knex) => knex.schema.renameTable('users', 'users_gone'));
    for (const path of ['/v1/users', '/v1/projects/default/members'])
      expect([path, await statusOf(read(path))]).toEqual([path, 500]);
  });

  it('429: more chosen secrets than it can hash', async () => {
    const inFlood = async (send: () => Promise<number>) =>
      new Set(await Promise.all(Array.from({ length: FLOOD }, send)));
    const headers = bearer(administrator);
    const create = () => {
      const json = { name: unique('key'), client_secret: CHOSEN_SECRET };
      return statusOf({ method: 'POST', path: '/v1/projects/default/keys', headers, json });
    };
    expect(await inFlood(create)).toEqual(new Set([201, 429]));
  });
});
