import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createApiClient } from '../../cli/api-client.ts';
import { editObject } from '../../cli/edit-object.ts';
import { type ServedCommands, serveCommands } from './served-commands.ts';

jest.setTimeout(120_000);

const ABSENT = `key_${'0'.repeat(26)}`;
let served: ServedCommands;
beforeAll(async () => {
  served = await serveCommands();
});
afterAll(() => served?.stop());

const keys = (...args: readonly string[]) => served.json(['keys', ...args]);
const namesOf = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

describe('edit', () => {
  it('changes what is named and nothing else, and the secret goes on working', async () => {
    await served.json(['workspaces', 'create', '--name', 'Staging']);
    const permissions = ['--permission', 'read:a', '--permission', 'read:b'];
    const addresses = ['--allow-ip', '127.0.0.1', '--allow-ip', '10.0.0.0/8'];
    const { client_secret, ...created } = await keys('create', '--name', 'edited', ...permissions, ...addresses);
    const edited = await keys(
      ...['edit', created.id, '--name', 'edited twice', '--description', 'what for', '--expires-at', '30d'],
      ...['--add-permission', 'read:c', '--remove-permission', 'read:a', '--remove-ip', '10.1.2.3/8'],
      ...['--add-role', 'viewer@staging', '--no-refresh-tokens', '--refresh-requires-client-auth'],
    );
    expect(edited).toMatchObject({
      id: created.id,
      client_id: created.client_id,
      name: 'edited twice',
      description: 'what for',
      permissions: ['read:b', 'read:c'],
      ip_allowlist: ['127.0.0.1'],
      roles: [{ role_id: expect.stringMatching(/^rol_/), workspace_id: expect.stringMatching(/^wsp_/) }],
      expires_at: expect.any(String),
      refresh_tokens: false,
      refresh_requires_client_auth: true,
    });
    const { status, body } = await served.exchange(client_secret);
    expect([status, body.scope.split(' ')]).toEqual([200, expect.arrayContaining(['read:c'])]);

    const emptied = ['--no-permissions', '--no-allowlist', '--expires-at', 'never', '--description', ''];
    expect(await keys('edit', created.id, ...emptied, '--remove-role', 'viewer@staging')).toMatchObject({
      name: 'edited twice',
      description: null,
      permissions: [],
      ip_allowlist: [],
      roles: [],
      expires_at: null,
    });
  });

  it('keeps what somebody else has changed meanwhile', async () => {
    const { id, project_id } = await keys('create', '--name', 'contended', '--permission', 'read:a');
    const api = createApiClient(served.url, served.apiKey);
    const url = `/v1/projects/${project_id}/keys/${id}`;
    let reads = 0;
    const edited = await editObject<{ permissions: string[] }>(api, url, async ({ permissions }) => {
      reads += 1;
      if (reads === 1) await api.request('PATCH', url, { permissions: [...permissions, 'read:theirs'] });
      return { permissions: [...permissions, 'read:ours'] };
    });
    expect([reads, edited.permissions]).toEqual([2, ['read:a', 'read:theirs', 'read:ours']]);
    const always = editObject(api, url, async () => {
      reads += 1;
      await api.request('PATCH', url, { description: `changed ${reads} times` });
      return { name: 'lost' };
    });
    await expect(always).rejects.toMatchObject({ code: 'version_mismatch' });
    expect(reads).toBe(4);
  });

  it('says what it refuses', async () => {
    const { id } = await keys('create', '--name', 'refused', '--permission', 'read:a');
    expect(await served.failure(['keys', 'edit', id])).toMatchObject({ exitCode: 2, code: 'usage' });
    const absent = await served.failure(['keys', 'edit', id, '--remove-permission', 'read:b']);
    expect(absent).toMatchObject({
      exitCode: 1,
      code: 'nothing_to_remove',
      message: expect.stringContaining('read:a'),
    });
    const unknown = await served.failure(['keys', 'edit', id, '--add-role', 'viewer', '--add-role', 'viewers']);
    expect(unknown).toMatchObject({
      exitCode: 1,
      code: 'not_found',
      message: expect.stringMatching(/^viewers: no such/),
    });
    const { client_secret: weak } = await keys('create', '--name', 'weak', '--permission', '*:keyturn/api-key');
    const tooMuch = await served.failure(['keys', 'edit', id, '--add-permission', 'write:b'], weak);
    expect(tooMuch).toMatchObject({ exitCode: 3, code: 'permission_exceeds_grantor', request_id: expect.any(String) });
    expect(tooMuch.message).toContain('write:b');
  });
});

describe('regenerate', () => {
  it('with an overlap leaves both secrets working', async () => {
    const { id, client_secret: old } = await keys('create', '--name', 'rotated', '--permission', 'read:a');
    const regenerated = await keys('regenerate', id, '--overlap', '1h');
    expect(regenerated).toMatchObject({ id, client_secret: expect.stringMatching(/^ktk_/) });
    for (const secret of [old, regenerated.client_secret]) expect((await served.exchange(secret)).status).toBe(200);
    const shown = await served.run(['keys', 'show', id]);
    expect(shown.stdout).toMatch(/previous_secret +….{4} until .*, last used /);
  });

  it('without one ends the old secret at once, takes a chosen one, and never prints that', async () => {
    const { id, client_id, client_secret: old } = await keys('create', '--name', 'ended', '--permission', 'read:a');
    const file = path.join(served.cwd, 'chosen');
    writeFileSync(file, 'Chosen-secret-7\n');
    const printed = await served.run(['keys', 'regenerate', id, '--yes', '--chosen-secret-file', file]);
    expect(printed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(client_id) });
    expect(printed.stdout + printed.stderr).not.toContain('Chosen-secret-7');
    expect((await served.exchange(old)).status).toBe(401);
  });
});

describe('rm', () => {
  it('deletes many, with a result for each, and fails where one is left', async () => {
    const made = [];
    for (const name of ['one', 'two']) made.push(await keys('create', '--name', `removed ${name}`));
    const [first, second] = made.map(({ id }) => id);
    const { exitCode, stdout, stderr } = await served.run([
      'keys',
      'rm',
      first,
      ABSENT,
      first,
      second,
      '--yes',
      '--json',
    ]);
    expect([exitCode, JSON.parse(stdout), JSON.parse(stderr).code]).toEqual([
      1,
      {
        results: [
          { id: first, status: 'deleted' },
          { id: ABSENT, status: 'failed', code: 'not_found' },
          { id: second, status: 'deleted' },
        ],
      },
      'not_all_deleted',
    ]);
    expect(namesOf(await keys('list', '--query', 'removed'))).toEqual([]);
  });
});

describe('list', () => {
  it('finds by every filter', async () => {
    const make = (name: string, ...args: readonly string[]) => keys('create', '--name', `found ${name}`, ...args);
    await make('ends', '--expires-at', '20d', '--permission', 'read:vault/prod-*');
    await make('placed', '--role', 'viewer');
    const { id } = await make('off', '--expires-at', '40d');
    await keys('revoke', id);
    const find = async (...args: readonly string[]) => namesOf(await keys('list', '--query', 'found', ...args));
    expect(await find('--sort', '-name')).toEqual(['found placed', 'found off', 'found ends']);
    expect(await find('--expires-before', '30d')).toEqual(['found ends']);
    expect(await find('--permission', 'read:vault/prod-db', '--sort', 'name')).toEqual(['found ends', 'found placed']);
    expect(await find('--invalid')).toEqual(['found off']);
    expect(await find('--valid', '--role', 'viewer')).toEqual(['found placed']);
    expect(await find('--unused-since', '90d')).toEqual([]);
    expect(await find('--unused-since', '0s', '--valid', '--sort', 'name')).toEqual(['found ends', 'found placed']);
    const cut = await served.run(['keys', 'list', '--query', 'found', '--limit', '2']);
    expect(cut.stdout.trim().split('\n')).toHaveLength(3);
    expect(cut.stderr).toContain('There are more');
    const none = await served.run(['keys', 'list', '--query', 'nowhere']);
    expect(none).toEqual({ exitCode: 0, stdout: '', stderr: 'No API keys.\n' });
  });
});

it('explain, sessions and usage tell of one key', async () => {
  const { id, client_secret: secret } = await keys('create', '--name', 'told', '--permission', 'read:vault');
  expect(await keys('explain', id, 'read:vault/prod')).toMatchObject({ allowed: true });
  expect((await served.run(['keys', 'explain', id, 'write:vault'])).stdout).toMatch(/^denied: \w/);
  expect((await served.exchange(secret)).status).toBe(200);
  const [session] = await keys('sessions', id);
  expect(session).toMatchObject({ id: expect.stringMatching(/^ses_/), generation: 1 });
  expect(await keys('end-session', id, session.id, '--yes')).toEqual({ id: session.id, deleted: true });
  expect(await keys('sessions', id)).toEqual([]);
  expect(await keys('usage', id)).toMatchObject({ totals: { refreshes: 0 } });
  expect((await served.run(['keys', 'usage', id, '--since', '7d'])).stdout).toMatch(
    /^HOUR +EXCHANGES +REFRESHES +DENIALS/,
  );
});
