/* Contenders as processes of their own. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Linux counts CPU time in ticks of 10 ms (USER_HZ is 100 on every platform that Node runs on). */
const TICK_US = 10_000;
const READY_MS = 30_000;

const running = new Set();
const logFolder = mkdtempSync(path.join(tmpdir(), 'keyturn-bench-'));
let logCount = 0;

/**
 * Starts a Node program and waits for the one line of JSON that it writes to stdout when it is ready. Its log, on stderr,
 * goes to a file: reading it would cost the process that makes the load.
 *
 * @param {{ args: string[], env?: Record<string, string>, cwd?: string }} options
 */
export async function startProgram({ args, env = {}, cwd }) {
  logCount += 1;
  const logPath = path.join(logFolder, `${logCount}.log`);
  const logFile = openSync(logPath, 'a');
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', logFile],
  });
  closeSync(logFile);
  running.add(child);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  void exited.then(() => running.delete(child));
  let isReady = false;
  const ready = await new Promise((resolve, reject) => {
    const give = (reason) =>
      reject(new Error(`${args.join(' ')} ${reason}\n${readFileSync(logPath, 'utf8').slice(-4000)}`));
    const timer = setTimeout(() => give('was not ready in time'), READY_MS);
    child.once('error', () => give('could not be started'));
    void exited.then((code) => isReady || give(`ended with ${code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      clearTimeout(timer);
      isReady = true;
      resolve(JSON.parse(line));
    });
  });
  return {
    ready,
    pid: child.pid,
    stdin: child.stdin,
    cpuUs: () => cpuUsOf(child.pid),
    memory: () => memoryOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Ends what is left, as after a suite that failed half way, and removes the logs. */
export function endPrograms() {
  for (const child of running) child.kill('SIGKILL');
  rmSync(logFolder, { recursive: true, force: true });
}

/** User and system time of a process, all its threads, and of its children, in microseconds. */
export function cpuUsOf(pid) {
  const children = childrenOf(pid).reduce((sum, child) => sum + cpuUsOf(child), 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US + children;
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
}

/** Resident bytes of one process. */
export function memoryOf(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
}
