/* Compiles lib/ and the server into dist/, each only when a source is newer than what stands there. Prints to stderr:
   the commands that call this own stdout. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inRoot = (...parts) => path.join(root, ...parts);
const compiler = inRoot('node_modules/@typescript/native/bin/tsc');

function newestMs(file) {
  const stat = statSync(inRoot(file));
  if (!stat.isDirectory()) return stat.mtimeMs;
  const names = readdirSync(inRoot(file)).filter((name) => name !== 'dist' && name !== 'node_modules');
  // The folder's own time tells of files that were deleted.
  return Math.max(stat.mtimeMs, ...names.map((name) => newestMs(path.join(file, name))));
}

function isStale({ stamp, sources }) {
  if (!existsSync(inRoot(stamp))) return true;
  const builtMs = statSync(inRoot(stamp)).mtimeMs;
  return sources.some((source) => newestMs(source) > builtMs);
}

function compile({ project }) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', inRoot(project)], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('Keyturn does not compile; see above');
}

/** Written aside and moved into place: a server that runs meanwhile may be reading the old ones. */
function copyScripts() {
  mkdirSync(inRoot('dist/db/redis'), { recursive: true });
  for (const name of readdirSync(inRoot('db/redis')).filter((file) => file.endsWith('.lua'))) {
    const target = inRoot('dist/db/redis', name);
    copyFileSync(inRoot('db/redis', name), `${target}.new`);
    renameSync(`${target}.new`, target);
  }
}

const shared = ['package-lock.json', 'tsconfig.base.json', 'scripts/build.mjs'];
const jobs = [
  { stamp: 'dist/.built-lib', sources: [...shared, 'lib'], run: () => compile({ project: 'lib/tsconfig.build.json' }) },
  {
    stamp: 'dist/.built',
    sources: [...shared, 'tsconfig.build.json', 'lib', 'server', 'db', 'cli'],
    run() {
      compile({ project: 'tsconfig.build.json' });
      copyScripts();
    },
  },
];

/**
 * Builds what is stale. Where the compiler is not installed, as in the image, dist/ has to be there.
 *
 * @throws {Error} when it is not
 */
export function buildIfStale() {
  if (!existsSync(compiler)) {
    if (existsSync(inRoot('dist/cli/main.js'))) return;
    throw new Error(
      'Keyturn is not built and its compiler is not installed: run npm ci --include=dev, then npm run build',
    );
  }
  if (!jobs.some(isStale)) return;
  mkdirSync(inRoot('dist'), { recursive: true });
  whileLocked(() => {
    // Looked at again: whoever had the lock before may have built all of it.
    for (const job of jobs.filter(isStale)) {
      const startedSeconds = Date.now() / 1000;
      job.run();
      writeFileSync(inRoot(job.stamp), '');
      // What was saved while the compiler ran is newer than this.
      utimesSync(inRoot(job.stamp), startedSeconds, startedSeconds);
    }
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function pause(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** One process builds at a time: another would load files that the compiler is just writing. */
function whileLocked(work) {
  const lock = inRoot('dist/.lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    pause(50);
    const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
    // Its owner was killed.
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildIfStale();
