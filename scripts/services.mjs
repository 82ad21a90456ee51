/**
 * Private MariaDB and Redis servers, ended with this process.
 *
 *   node scripts/services.mjs                 prints the variables to set, runs until Ctrl-C
 *   node scripts/services.mjs -- command …    runs the command with the variables set, then ends
 *   SERVICES=mariadb,redis                    only these
 */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { startServices } from './services/start-services.mjs';

export { requirePrograms } from './services/apt.mjs';
export { freePorts } from './services/guarded-process.mjs';
export { findMariadb, startMariadb } from './services/mariadb.mjs';
export { askRedis, findRedis, startRedis, startRedisCluster, startRedisSentinel } from './services/redis.mjs';
export { SERVICES, startServices } from './services/start-services.mjs';

async function main() {
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  const services = await startServices({ want: process.env.SERVICES?.split(',') });
  process.stderr.write(`running on ${services.runningOn}\n`);
  for (const note of services.notes) process.stderr.write(`${note}\n`);
  const separator = process.argv.indexOf('--');
  let exitCode = 0;
  if (separator > 0) {
    const [command, ...words] = process.argv.slice(separator + 1);
    const child = spawn(command, words, { stdio: 'inherit', env: { ...process.env, ...services.environment } });
    void stopped.then(() => child.kill('SIGTERM'));
    exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  } else {
    for (const [name, url] of Object.entries(services.environment)) process.stdout.write(`export ${name}='${url}'\n`);
    const keepAlive = setInterval(() => {}, 60_000);
    await stopped;
    clearInterval(keepAlive);
  }
  await services.stop();
  process.exit(exitCode);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
