import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { freePorts } from '../../scripts/services.mjs';
import { parseConfig } from '../../server/config.ts';
import { createLogger } from '../../server/logging.ts';
import { startService } from '../../server/main.ts';

it('in production a service that is stopped says so on /readyz while it still serves', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-shutdown-'));
  const [port] = await freePorts(1);
  const config = parseConfig({
    NODE_ENV: 'production',
    PORT: String(port),
    KEYTURN_ISSUER: 'https://keys.example',
    DATABASE_URL: `sqlite:${path.join(folder, 'keyturn.db')}`,
  });
  const service = await startService(config, createLogger('silent'));
  // What it prints would end up in somebody's log.
  expect(service.bootstrapped).toBeNull();
  const ask = (resource: string) => fetch(`http://127.0.0.1:${port}${resource}`);
  expect((await ask('/readyz')).status).toBe(200);

  // As browsers and load balancers keep in store: no request ever came on it.
  const unused = connect(port as number, '127.0.0.1');
  await once(unused, 'connect');
  const isUnusedClosed = once(unused, 'close');

  const stopped = service.stop();
  const ready = await ask('/readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'draining' });
  expect((await ask('/.well-known/jwks.json')).status).toBe(200);
  await stopped;
  await isUnusedClosed;
  await expect(ask('/readyz')).rejects.toThrow();
  rmSync(folder, { recursive: true });
});
