/**
 * `npm run bench`: how fast Keyturn is, beside the floor and beside what one would take instead, in one run.
 *
 *   npm run bench                                   every suite, under 15 minutes
 *   npm run bench -- --suite exchange --suite verify
 *   npm run -s bench -- --json                      one JSON object on stdout, progress on stderr
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildIfStale } from '../build.mjs';
import { startServices } from '../services.mjs';

const SUITES = ['exchange', 'refresh', 'verify', 'bcrypt', 'growth', 'lists', 'memory', 'workers', 'start'];
const USAGE = `usage: npm run bench -- [--suite ${SUITES.join('|')}] [--rounds N] [--json]`;
/** As many as keep one server process busy without queueing for long. */
const CONNECTIONS = 32;

const say = (text) => process.stderr.write(`${text}\n`);

function parseCommandLine() {
  try {
    const { values } = parseArgs({
      options: {
        suite: { type: 'string', multiple: true },
        rounds: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = values.suite?.find((name) => !SUITES.includes(name));
    if (unknown !== undefined) throw new Error(`there is no suite ${unknown}`);
    if (!/^[1-9]\d?$/.test(values.rounds)) throw new Error('--rounds takes a whole number from 1 to 99');
    return { ...values, rounds: Number(values.rounds), suites: values.suite ?? SUITES };
  } catch (error) {
    say(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** The peers have a lock file of their own, so that nobody installs them who only wants to run Keyturn. */
function installPeers() {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const readLock = (file) => {
    const packages = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
    return JSON.stringify(
      Object.entries(packages)
        .map(([name, { version }]) => name && [name, version])
        .filter(Boolean),
    );
  };
  if (readLock(`${folder}node_modules/.package-lock.json`) === readLock(`${folder}package-lock.json`)) return;
  say('installing the peers (once)');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) throw new Error('npm could not install the peers; see above');
}

function describeMachine(services) {
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${cpus().length} × ${model}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    node: process.version,
    services: services.runningOn,
  };
}

const options = parseCommandLine();
if (options.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
buildIfStale();
installPeers();
const { createBench } = await import('./harness/bench-context.mjs');
const { formatBars, formatMachine, formatSuite } = await import('./harness/report.mjs');
const { endPrograms } = await import('./harness/program.mjs');

const services = await startServices({ want: ['mariadb', 'redis'] });
const end = async (code) => {
  endPrograms();
  await services.stop();
  process.exit(code);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void end(1));

/** A suite that fails is a bar that is not met, and costs nobody the figures of the others. */
async function runSuite(suite) {
  try {
    const { run } = await import(`./suites/${suite}.mjs`);
    return await run(createBench({ suite, services, rounds: options.rounds, connections: CONNECTIONS }));
  } catch (error) {
    say(error.stack);
    failedSuites += 1;
    return { rows: [], bars: [{ name: `${suite}: ran to its end`, value: null, target: 'yes', met: false }] };
  }
}

let failedSuites = 0;
try {
  if (services.missing.includes('mariadb') || services.missing.includes('redis'))
    throw new Error(`MariaDB and Redis are needed: ${services.notes.join('; ') || 'install them, or Docker'}`);
  const machine = describeMachine(services);
  const report = { suite: options.suite?.join(' ') ?? 'all', machine, rows: [], bars: [] };
  if (!options.json) process.stdout.write(`${formatMachine(machine)}\n`);
  for (const suite of options.suites) {
    say(`${suite} …`);
    const { rows, bars } = await runSuite(suite);
    report.rows.push(...rows.map((row) => ({ suite, ...row })));
    report.bars.push(...bars);
    if (!options.json) process.stdout.write(`\n${formatSuite({ suite, rows, bars })}`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else if (options.suites.length > 1) process.stdout.write(`\nAll bars\n\n${formatBars(report.bars)}\n`);
  await end(failedSuites === 0 ? 0 : 1);
} catch (error) {
  say(error.stack);
  await end(1);
}
