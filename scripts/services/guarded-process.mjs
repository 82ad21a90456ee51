/** Servers that never outlive this process, and the few system calls that starting them needs. */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const LOOPBACK = '127.0.0.1';

const waitMs = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Path of the first of `names` that can be run, or null. Also looks where Debian keeps daemons. */
export function findBinary(...names) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  for (const file of names.flatMap((name) => folders.map((folder) => path.join(folder, name)))) {
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return null;
}

/** Below the range from which systems give ports to outgoing connections, which else would take them in between. */
const [FIRST_PORT, LAST_PORT] = [12_000, 32_000];

/** Ports that were free a moment ago, each drawn at random so that parallel runs don't meet. */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  const holder = net.createServer();
  return new Promise((resolve) => {
    holder.once('error', () => resolve(false));
    holder.listen(port, LOOPBACK, () => holder.close(() => resolve(true)));
  });
}

/** Starts anew, on other ports, when somebody took a port between its draw and the server's start. */
export async function onFreePorts(start, attempts = 3) {
  try {
    return await start();
  } catch (error) {
    if (attempts === 1 || !/in use/i.test(error.message)) throw error;
    return onFreePorts(start, attempts - 1);
  }
}

export function makeFolder(name) {
  return mkdtempSync(path.join(os.tmpdir(), `keyturn-${name}-`));
}

/* The server runs under a small sh guard whose standard input is a pipe of ours. When this process ends for any reason,
   SIGKILL too, the pipe closes; the guard ends the server and removes its folder. SIGKILL for our own data: it works on
   stopped servers, and Redis asked politely waits 10 s for its replicas. A server that dies by itself keeps its folder
   until then, so that it can be started again on its data. File descriptor 4 tells us the server's own pid and its end
   (in a subshell: with nobody reading, SIGPIPE ends the writer). */
const GUARD = `exec 3<&0
"$@" </dev/null 3<&- 4>&- & server=$!
echo $server >&4
(read _ <&3; kill -$GUARD_SIGNAL $server) 2>/dev/null 4>&- & watch=$!
wait $server
(echo ended >&4) 2>/dev/null
wait $watch
rm -rf "$GUARD_FOLDER"`;

/** Starts one server; resolves once its pid is known. */
async function spawnGuarded({ name, command, folder, endSignal }) {
  const guard = spawn('sh', ['-c', GUARD, 'guard', ...command], {
    stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'],
    detached: true, // its own process group: Ctrl-C reaches us only, and -pid reaches all of it
    env: { ...process.env, GUARD_FOLDER: folder, GUARD_SIGNAL: endSignal },
  });
  const running = { guard, pid: 0, hasEnded: false, log: '' };
  const news = guard.stdio[4];
  running.ended = new Promise((resolve) => {
    guard.once('exit', resolve);
    news.on('data', (text) => String(text).includes('ended') && resolve());
  }).then(() => {
    running.hasEnded = true;
  });
  for (const stream of [guard.stdout, guard.stderr]) {
    stream.on('data', (text) => {
      running.log = (running.log + text).slice(-8000);
    });
  }
  const first = await Promise.race([new Promise((resolve) => news.once('data', resolve)), running.ended]);
  running.pid = Number.parseInt(String(first), 10);
  if (!(running.pid > 0)) throw new Error(`${name} could not be started: ${running.log}`);
  for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr, news]) handle.unref();
  return running;
}

/**
 * A server on its own folder. `command` is the argument vector; `isReady` throws until the server answers.
 * `endSignal` is what ends it in the end.
 * `kill` is SIGKILL and keeps the data; `restart` starts it again on them; `pause` and `resume` are SIGSTOP and SIGCONT.
 */
export async function startServer({ name, command, folder, isReady, readyMs = 30_000, endSignal = 'KILL' }) {
  let running;
  const start = async () => {
    running = await spawnGuarded({ name, command, folder, endSignal });
    await answering(name, running, isReady, readyMs);
  };
  const stop = async () => {
    await endGuard(running);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    if (running) await stop();
    throw error;
  }
  const signal = (name) => process.kill(running.pid, name);
  return {
    folder,
    get pid() {
      return running.pid;
    },
    stop,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async kill() {
      signal('SIGKILL');
      await running.ended;
    },
    async restart() {
      // The old guard would remove the folder; its server is dead, and the new guard takes its place.
      process.kill(-running.guard.pid, 'SIGKILL');
      await start();
    },
  };
}

async function answering(name, running, isReady, readyMs) {
  const end = performance.now() + readyMs;
  let lastError;
  while (performance.now() < end) {
    if (running.hasEnded) throw new Error(`${name} died: ${running.log}`);
    try {
      await isReady();
      // Else somebody else's server has answered, who took the port first.
      if (!running.hasEnded) return;
    } catch (error) {
      lastError = error;
      await waitMs(20);
    }
  }
  throw new Error(`${name} is not ready: ${lastError?.message}\n${running.log}`);
}

async function endGuard({ guard, pid }, graceMs = 10_000) {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  guard.ref();
  const done = new Promise((resolve) => guard.once('exit', resolve));
  guard.stdin.end();
  const timer = setTimeout(() => process.kill(pid, 'SIGKILL'), graceMs); // cleared: a live timer keeps Jest from exiting
  await done;
  clearTimeout(timer);
}

/** Runs `probe` until it stops throwing. */
export async function eventually(what, probe, withinMs = 15_000) {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > end) throw new Error(`${what}: ${error.message}`);
      await waitMs(20);
    }
  }
}
