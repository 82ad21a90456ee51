/* Processor time of the servers behind Keyturn. */
import { readFileSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import { cpuUsOf } from '../harness/program.mjs';

/** Of Redis's one thread that serves. */
export async function redisCpuUs(redis) {
  const info = await redis.info('cpu');
  const seconds = (mode) => Number(new RegExp(`used_cpu_${mode}_main_thread:([\\d.]+)`).exec(info)[1]);
  return (seconds('user') + seconds('sys')) * 1_000_000;
}

/** Of the whole SQL server; always 0 where that runs elsewhere, in a container for instance. */
export async function sqlCpuReader(databaseUrl) {
  const connection = await createConnection(databaseUrl);
  const [[{ pidFile }]] = await connection.query('SELECT @@pid_file AS pidFile');
  await connection.end();
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    cpuUsOf(pid);
    return () => cpuUsOf(pid);
  } catch {
    return () => 0;
  }
}
