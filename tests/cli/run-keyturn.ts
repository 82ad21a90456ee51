/** The `keyturn` binary as a process of its own, from the sources, in an environment of nothing but what is given. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../../scripts/services.mjs';

const root = new URL('../../', import.meta.url);
const LOADER = ['--conditions=keyturn-source', '--import', new URL('node_modules/tsx/dist/loader.mjs', root).href];
export const KEYTURN = [...LOADER, new URL('cli/main.ts', root).pathname];

export type Environment = Readonly<Record<string, string>>;

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: Environment;
  /** Goes to stdin, which is then closed. */
  readonly input?: string;
  /** Before the entry point. */
  readonly nodeOptions?: readonly string[];
}

export interface Running {
  readonly child: ChildProcess;
  /** Written to stdout so far. */
  output(): string;
  readonly finished: Promise<Finished>;
}

export function startKeyturn(
  args: readonly string[],
  { cwd, env = {}, input, nodeOptions = [] }: Surroundings,
): Running {
  const own = { PATH: process.env['PATH'] ?? '', HOME: cwd };
  const child = spawn(process.execPath, [...nodeOptions, ...KEYTURN, ...args], { cwd, env: { ...own, ...env } });
  child.stdin.end(input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const finished = once(child, 'close').then(([exitCode]) => ({ exitCode, stdout, stderr }));
  return { child, output: () => stdout, finished };
}

export function runKeyturn(args: readonly string[], surroundings: Surroundings): Promise<Finished> {
  return startKeyturn(args, surroundings).finished;
}

/** Resolves once stdout matches; rejects with all that was said when the process ends before. */
export async function untilSaid(running: Running, pattern: RegExp): Promise<string> {
  const ended = running.finished.then(({ stdout, stderr }) => {
    throw new Error(`ended before it said ${pattern}: ${stdout}${stderr}`);
  });
  ended.catch(() => {});
  while (!pattern.test(running.output())) {
    await Promise.race([ended, once(running.child.stdout as NonNullable<ChildProcess['stdout']>, 'data')]);
  }
  return running.output();
}

export interface Served extends Running {
  /** Its issuer. */
  readonly url: string;
  readonly port: number;
  /** Null where the store was not empty. */
  readonly bootstrapped: Record<'project_id' | 'client_id' | 'client_secret' | 'setup_url', string> | null;
  stop(): Promise<Finished>;
}

/** `keyturn serve --json`, ready. */
export async function serveKeyturn(
  { env = {}, ...surroundings }: Surroundings,
  args: readonly string[] = [],
): Promise<Served> {
  const port = String(await freePort());
  const running = startKeyturn(['serve', '--json', ...args], { ...surroundings, env: { PORT: port, ...env } });
  const { issuer, port: servedPort, bootstrapped } = JSON.parse(await untilSaid(running, /\n/));
  const stop = () => {
    running.child.kill('SIGTERM');
    return running.finished;
  };
  return { ...running, url: issuer, port: servedPort, bootstrapped, stop };
}

/** Free a moment ago. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** @param prefix of its name; may hold what shells find difficult */
export function makeFolder(prefix = 'keyturn-cli-'): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
