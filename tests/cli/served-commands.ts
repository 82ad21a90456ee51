/** Commands against a service of their own, on embedded storage: what they do does not depend on the store. */
import { PassThrough } from 'node:stream';
import { failureOf } from '../../cli/failure-of.ts';
import { createOutput } from '../../cli/output.ts';
import { createProgram } from '../../cli/program.ts';
import { type Finished, makeFolder, type Served, serveKeyturn } from './run-keyturn.ts';

/** Whatever JSON holds. */
type Json = ReturnType<typeof JSON.parse>;

export interface ServedCommands {
  readonly url: string;
  readonly cwd: string;
  /** Of an administrator of the whole installation. */
  readonly apiKey: string;
  /** As a person runs it. */
  run(args: readonly string[], apiKey?: string): Promise<Finished>;
  /** With `--json`: what stdout holds; throws what went wrong. */
  json(args: readonly string[], apiKey?: string): Promise<Json>;
  /** With `--json`: the failure, with `exitCode`; `stdout` as it is. */
  failure(args: readonly string[], apiKey?: string): Promise<Json>;
  /** Exchanges an API key. */
  exchange(apiKey: string): Promise<{ readonly status: number; readonly body: Json }>;
  stop(): Promise<void>;
}

/** In this process, where a command takes a tenth of the time of one of its own. What is asked on a terminal can't be. */
export async function runHere(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> {
  Object.assign(process.env, env);
  const [stdout, stderr] = [new PassThrough({ encoding: 'utf8' }), new PassThrough({ encoding: 'utf8' })];
  const output = createOutput({ isJson: args.includes('--json'), showsStack: false, stdout, stderr });
  let exitCode = 0;
  try {
    await createProgram(output).parseAsync(args, { from: 'user' });
  } catch (error) {
    const failure = failureOf(error);
    output.failure(failure);
    exitCode = failure.exitCode;
  }
  return { exitCode, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

export async function serveCommands(): Promise<ServedCommands> {
  const { folder: cwd, remove } = makeFolder();
  const service: Served = await serveKeyturn({ cwd });
  const administrator = service.bootstrapped?.client_secret ?? '';
  const run = (args: readonly string[], apiKey = administrator) =>
    runHere(args, { KEYTURN_URL: service.url, KEYTURN_API_KEY: apiKey });
  return {
    url: service.url,
    cwd,
    apiKey: administrator,
    run,
    async json(args, apiKey) {
      const { exitCode, stdout, stderr } = await run([...args, '--json'], apiKey);
      if (exitCode !== 0 || stderr !== '') throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async failure(args, apiKey) {
      const { exitCode, stdout, stderr } = await run([...args, '--json'], apiKey);
      return { exitCode, stdout, ...JSON.parse(stderr) };
    },
    async exchange(apiKey) {
      const body = new URLSearchParams({ grant_type: 'client_credentials' });
      const headers = { 'X-API-Key': apiKey };
      const answer = await fetch(`${service.url}/oauth/token`, { method: 'POST', headers, body });
      return { status: answer.status, body: await answer.json() };
    },
    async stop() {
      await service.stop();
      remove();
    },
  };
}
