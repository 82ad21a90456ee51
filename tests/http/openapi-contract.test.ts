import { beforeAll, describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';
import { createOpenApiContract, type OpenApiContract } from '../support/openapi-contract.ts';
import { walk } from '../support/openapi-walk.ts';
import { WALK_ROWS } from '../support/openapi-walk-rows.ts';
import { bearer, createWorld, type World } from '../support/openapi-world.ts';

describe.each(keyturnStorages)('every documented answer on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  let contract: OpenApiContract;
  let world: World;

  beforeAll(async () => {
    contract = await createOpenApiContract(keyturn());
    world = await createWorld(keyturn(), contract);
  });

  it('has a row in tests/support/openapi-rows-of-*.ts for every operation, and an operation for every row', () => {
    const documented = contract.operations.map(({ id }) => id);
    const rows = Object.keys(WALK_ROWS);
    const withoutRow = documented.filter((id) => !rows.includes(id));
    const withoutOperation = rows.filter((id) => !documented.includes(id));
    expect({ withoutRow, withoutOperation }).toEqual({ withoutRow: [], withoutOperation: [] });
  });

  it.each(Object.entries(WALK_ROWS))('%s answers with every status that it documents', async (id, row) => {
    const operation = contract.operations.find((documented) => documented.id === id);
    if (operation === undefined) throw new Error(`/openapi.json documents no ${id}`);
    expect(await walk(operation, row, world)).toEqual([]);
  });

  it.each([
    ['a method that the path does not take', 'PATCH', '/v1/me', 405],
    ['the same beside a path with a parameter there', 'PUT', '/v1/projects/default/keys/bulk-delete', 405],
    ['the token endpoint asked by GET', 'GET', '/oauth/token', 405],
    ['a path that there is not', 'GET', '/v1/nothing', 404],
    ['a path that can not be decoded', 'GET', '/v1/projects/%ff/keys', 400],
  ])('%s is answered as documented too', async (_what, method, path, status) => {
    const headers = bearer(world.administrator);
    expect((await contract.send({ method, path, headers })).status).toBe(status);
  });
});
