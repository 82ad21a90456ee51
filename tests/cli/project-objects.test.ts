import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type ServedCommands, serveCommands } from './served-commands.ts';

jest.setTimeout(120_000);

let served: ServedCommands;
beforeAll(async () => {
  served = await serveCommands();
});
afterAll(() => served?.stop());

const json = (...args: readonly string[]) => served.json(args);

it('projects: made, listed, edited, deleted', async () => {
  const made = await json('projects', 'create', '--name', 'Second One', '--audience', 'https://a.example');
  expect(made).toMatchObject({ slug: 'second-one', audiences: ['https://a.example'] });
  const edit = ['--name', 'Renamed', '--description', 'for tests', '--add-audience', 'https://b.example'];
  expect(await json('projects', 'edit', 'second-one', ...edit)).toMatchObject({
    id: made.id,
    name: 'Renamed',
    description: 'for tests',
    audiences: ['https://a.example', 'https://b.example'],
  });
  expect(await json('projects', 'show', made.id)).toMatchObject({ name: 'Renamed' });
  const { stdout } = await served.run(['projects', 'list']);
  expect(stdout).toMatch(/^ID +SLUG +NAME +AUDIENCES +CREATED\n/);
  expect(stdout).toMatch(new RegExp(`${made.id} +second-one +Renamed`));
  expect(await json('projects', 'rm', 'second-one', '--yes')).toEqual({ id: 'second-one', deleted: true });
  expect(await served.failure(['projects', 'show', made.id])).toMatchObject({ exitCode: 1, code: 'not_found' });
});

it('roles and workspaces: what is in use stays, and says so', async () => {
  await json('workspaces', 'create', '--name', 'Staging', '--description', 'before prod');
  expect(await json('workspaces', 'edit', 'staging', '--name', 'Stage')).toMatchObject({
    slug: 'staging',
    name: 'Stage',
  });
  const role = await json('roles', 'create', '--name', 'Reader', '--slug', 'reader', '--permission', 'read:a');
  const change = ['--add-permission', 'read:b', '--remove-permission', 'read:a'];
  expect(await json('roles', 'edit', 'reader', ...change)).toMatchObject({ id: role.id, permissions: ['read:b'] });

  const key = await json('keys', 'create', '--name', 'holder', '--role', 'reader@staging');
  expect(key.effective_permissions).toEqual(['read:workspace/staging/b']);
  expect(await served.failure(['roles', 'rm', 'reader', '--yes'])).toMatchObject({
    code: 'object_in_use',
    key_count: 1,
  });
  expect(await served.failure(['workspaces', 'rm', 'staging', '--yes'])).toMatchObject({ code: 'object_in_use' });
  await json('keys', 'edit', key.id, '--no-roles');
  await json('roles', 'rm', 'reader', '--yes');
  await json('workspaces', 'rm', 'staging', '--yes');

  expect((await json('roles', 'list')).map(({ slug }: { slug: string }) => slug)).toEqual(
    expect.arrayContaining(['administrator', 'viewer', 'key-manager']),
  );
  expect(await served.failure(['roles', 'edit', 'viewer', '--name', 'Mine'])).toMatchObject({
    exitCode: 1,
    code: 'built_in_role',
  });
  expect((await served.run(['roles', 'show', 'viewer'])).stdout).toMatch(/permissions +read:\*, read:keyturn/);
});

it('users and members: invited once, given roles, taken out', async () => {
  const created = await served.run(['users', 'create', '--email', 'ada@example.com', '--name', 'Ada']);
  const [id] = created.stdout.match(/usr_\w+/) ?? [];
  expect(created.stdout).toMatch(/invitation_url +http\S+#\w+/);
  expect(created.stderr).toContain('shown only now');
  const userId = String(id);
  expect(await json('users', 'invite', userId)).toMatchObject({ invitation_url: expect.any(String) });
  expect(await json('users', 'edit', userId, '--name', 'Ada L.')).toMatchObject({ name: 'Ada L.' });
  expect(await json('users', 'list', '--query', 'ADA@')).toMatchObject([{ id: userId }]);

  expect(await json('members', 'add', '--email', 'ada@example.com', '--role', 'viewer')).toMatchObject({
    user_id: userId,
  });
  const changed = await json('members', 'edit', userId, '--add-role', 'key-manager', '--remove-role', 'viewer');
  expect(changed.roles).toHaveLength(1);
  const invited = await json('members', 'invite', '--email', 'bo@example.com', '--name', 'Bo', '--role', 'viewer');
  expect(invited).toMatchObject({ email: 'bo@example.com', invitation_url: expect.any(String) });
  const { stdout } = await served.run(['members', 'list']);
  expect(stdout).toMatch(/^USER +EMAIL +NAME +ROLES\n/);
  expect(stdout).toMatch(new RegExp(`${userId} +ada@example.com +Ada L. +rol_`));
  expect(await json('members', 'rm', userId, '--yes')).toEqual({ id: userId, deleted: true });
  expect(await json('users', 'rm', userId, '--yes')).toEqual({ id: userId, deleted: true });
});

it('audit list tells who did what', async () => {
  const { id } = await json('keys', 'create', '--name', 'watched', '--permission', 'read:a');
  await json('keys', 'edit', id, '--name', 'watched again');
  const events = await json('audit', 'list', '--object', id);
  expect(events).toMatchObject([
    { type: 'api_key.updated', detail: { before: { name: 'watched' }, after: { name: 'watched again' } } },
    { type: 'api_key.created' },
  ]);
  expect(await json('audit', 'list', '--object', id, '--type', 'api_key.created')).toHaveLength(1);
  expect(await json('audit', 'list', '--object', id, '--until', '1d')).toEqual([]);
  const { stdout } = await served.run(['audit', 'list', '--limit', '1']);
  expect(stdout).toMatch(/^TIME +TYPE +OBJECT +ACTOR +IP\n.*api_key\.updated.*127\.0\.0\.1\n$/);
  expect(await json('audit', 'list', '--installation', '--type', 'user.created')).toEqual(expect.any(Array));
});
