/* Lints `/openapi.json` as a Keyturn on an empty embedded store serves it. Asks nothing of the network. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { migrateToHead } from '../db/sql/migrate.ts';
import { composeService } from '../server/compose.ts';
import { composeStorage } from '../server/compose-storage.ts';
import { parseConfig } from '../server/config.ts';
import { createLogger } from '../server/logging.ts';

const RULES = {
  'operation-tag-defined': 'error',
  'parameter-description': 'error',
  'path-params-defined': 'error',
  'paths-kebab-case': 'off',
  // /keys/bulk-delete beside /keys/{key}: OpenAPI itself says that the one without parameters goes first.
  'no-ambiguous-paths': 'off',
  // What anybody may ask for, without parameters, refuses nothing.
  'operation-4xx-response': 'off',
} as const;

async function servedDocument(folder: string): Promise<string> {
  const config = parseConfig({
    DATABASE_URL: `sqlite:${path.join(folder, 'keyturn.db')}`,
    KEYTURN_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    KEYTURN_ISSUER: 'https://keyturn.test',
  });
  const surroundings = { logger: createLogger('silent', { write() {} }) };
  const storage = composeStorage(config, surroundings);
  await migrateToHead(storage.database);
  const service = await composeService(config, surroundings, storage);
  try {
    await once(service.server.listen(0, '127.0.0.1'), 'listening');
    const { port } = service.server.address() as AddressInfo;
    return await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).text();
  } finally {
    service.server.close();
    service.server.closeAllConnections();
    await service.close();
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'keyturn-openapi-'));
try {
  const source = await servedDocument(folder);
  const config = await createConfig({ extends: ['recommended-strict'], rules: RULES });
  const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
  for (const { severity, ruleId, message, location } of problems)
    console.error(`${severity} ${ruleId} at ${location.map(({ pointer }) => pointer).join(', ')}: ${message}`);
  const operations = Object.values(JSON.parse(source).paths as Record<string, object>).flatMap(Object.keys).length;
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${operations} operations, no fault`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
