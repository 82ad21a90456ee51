import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runKeyturn, type Served, serveKeyturn } from '../cli/run-keyturn.ts';
import { readReply } from '../support/keyturn-server.ts';
import { type KeyturnStorage, keyturnStorages } from '../support/keyturn-storage.ts';
import { eventually } from '../support/redis-fault.ts';

/** What a crash may lose. */
const LOST_MS = 5_000;
const EXCHANGES = 3;

describe.each(keyturnStorages)('a crash on $name', (kind) => {
  let storage: KeyturnStorage;
  let surroundings: { readonly cwd: string; readonly env: Record<string, string> };
  const served: Served[] = [];
  let secret = '';

  beforeAll(async () => {
    storage = await kind.open();
    const env = { ...storage.environment, KEYTURN_ISSUER: 'http://127.0.0.1:1', KEYTURN_LOG_LEVEL: 'error' };
    surroundings = { cwd: tmpdir(), env };
    const { stdout } = await runKeyturn(['bootstrap', '--json'], surroundings);
    secret = JSON.parse(stdout).client_secret;
  }, 60_000);
  afterAll(async () => {
    await Promise.all(served.map((each) => each.stop()));
    await storage?.close();
  });

  async function serve(): Promise<string> {
    const server = await serveKeyturn(surroundings);
    served.push(server);
    return `http://127.0.0.1:${server.port}`;
  }

  async function exchange(url: string): Promise<string> {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_secret: secret });
    return (await readReply(await fetch(`${url}/oauth/token`, { method: 'POST', body }))).body.access_token;
  }

  it('loses no usage and no last use that is older than five seconds', async () => {
    const crashing = await serve();
    const surviving = await serve();
    let token = '';
    for (let count = 0; count < EXCHANGES; count += 1) token = await exchange(crashing);
    const get = async (path: string) =>
      (await readReply(await fetch(surviving + path, { headers: { Authorization: `Bearer ${token}` } }))).body;
    const { key_id: id, project_id: project } = await get('/v1/me');
    const shown = async () => {
      const key = `/v1/projects/${project}/keys/${id}`;
      const { totals } = await get(`${key}/usage`);
      return { exchanges: totals.exchanges, isUsed: (await get(key)).last_used_at !== null };
    };
    const written = { exchanges: EXCHANGES, isUsed: true };
    await eventually(async () => expect(await shown()).toEqual(written), LOST_MS);
    served[0]?.child.kill('SIGKILL');
    await served[0]?.finished;
    expect(await shown()).toEqual(written);
  }, 60_000);
});
