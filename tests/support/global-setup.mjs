import { startServices } from '../../scripts/services.mjs';

/** Once for the whole run. TEST_SERVICES narrows it, as in `TEST_SERVICES=redis npx jest tests/unit`; `none` starts nothing. */
export default async function setUp() {
  const chosen = process.env.TEST_SERVICES;
  const want = chosen === 'none' ? [] : chosen?.split(',');
  const services = await startServices({ want });
  Object.assign(process.env, services.environment);
  globalThis.keyturnServices = services;
  process.stderr.write(`\nrunning on ${services.runningOn}\n`);
}
