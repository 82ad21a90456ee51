/** A run without its servers must be seen: it says so last, and fails where somebody relies on it. */
export default async function tearDown() {
  const services = globalThis.keyturnServices;
  if (!services) return;
  await services.stop();
  if (services.missing.length === 0) return;
  const mustHave = Boolean(process.env.CI) || process.env.REQUIRE_SERVICES === '1';
  const lines = [
    `NOT RUN: every suite that needs ${services.missing.join(', ')}: no such server could be had`,
    ...services.notes,
    'Install mariadb-server and redis-server, or start Docker, and run again.',
    mustHave ? 'CI or REQUIRE_SERVICES is set: this run counts as failed.' : 'The suites on SQLite alone were run.',
  ];
  const bar = '!'.repeat(100);
  process.stderr.write(`\n${bar}\n${lines.map((line) => `!! ${line}`).join('\n')}\n${bar}\n`);
  if (mustHave) process.exitCode = 1;
}
