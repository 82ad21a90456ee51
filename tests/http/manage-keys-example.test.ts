import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { requirePrograms } from '../../scripts/services.mjs';
import { runKeyturn } from '../cli/run-keyturn.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

beforeAll(() => requirePrograms('bash', 'curl', 'jq'), 600_000);

const SCRIPT = new URL('../../examples/manage-keys.sh', import.meta.url).pathname;

describe.each(keyturnStorages)('examples/manage-keys.sh on $name', (kind) => {
  const keyturn = keyturnFor(kind, { logLevel: 'error' });

  const verifyAudit = () =>
    runKeyturn(['audit', 'verify', '--json'], {
      cwd: tmpdir(),
      env: { ...keyturn().storageEnvironment, KEYTURN_ISSUER: keyturn().url },
    });

  it('walks from the first project to deleted keys, and leaves a whole audit chain', async () => {
    const env = {
      PATH: process.env['PATH'],
      KEYTURN_URL: keyturn().url,
      KEYTURN_API_KEY: keyturn().administrator.clientSecret,
    };
    const walk = spawn('bash', [SCRIPT], { env, stdio: ['ignore', 'inherit', 'pipe'] });
    const said: Buffer[] = [];
    walk.stderr.on('data', (chunk) => said.push(chunk));
    const [code] = await once(walk, 'close');
    expect(Buffer.concat(said).toString()).toMatch(/\nDone\. /);
    expect(code).toBe(0);

    expect(await verifyAudit()).toMatchObject({ exitCode: 0 });
    await keyturn().service.storage.database.run((knex) =>
      knex('audit_events').where({ type: 'api_key.regenerated' }).update({ actor_id: 'key_nobody' }),
    );
    const broken = await verifyAudit();
    expect(broken.exitCode).toBe(1);
    expect(broken.stdout + broken.stderr).toMatch(/api_key\.regenerated|sequence/);
  }, 120_000);
});
