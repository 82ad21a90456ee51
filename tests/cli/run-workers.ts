/** `keyturn serve --workers 2` as processes, and HTTP load that counts every request which is not answered with 200. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Environment, freePort, type Running, startKeyturn, untilSaid } from './run-keyturn.ts';

export interface LogLine {
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
  readonly [field: string]: unknown;
}

export interface RunningWorkers extends Running {
  readonly port: number;
  /** The first key, as printed. */
  readonly apiKey: string;
  /** Every line that is whole, of every process. */
  log(): readonly LogLine[];
  logged(message: string): readonly LogLine[];
  /** Of the worker that serves in each place, by what was logged last. */
  pids(): ReadonlyMap<number, number>;
}

/** Polls; rejects when `isSo` isn't within 40 seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endsMs = performance.now() + 40_000;
  while (!(await isSo())) {
    if (performance.now() > endsMs) throw new Error(`not within 40 seconds: ${isSo}`);
    await delay(20);
  }
}

export function readLog(text: string): readonly LogLine[] {
  const whole = text.split('\n').slice(0, -1);
  return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}

/** On an empty embedded store; resolves when it is ready. */
export async function startWorkers(
  cwd: string,
  { env = {}, ending }: { readonly env?: Environment; readonly ending: (running: Running) => Running },
): Promise<RunningWorkers> {
  const port = await freePort();
  const running = ending(startKeyturn(['serve', '--workers', '2'], { cwd, env: { PORT: String(port), ...env } }));
  const banner = await untilSaid(running, /works once/);
  const log = () => readLog(running.output());
  const logged = (message: string) => log().filter(({ msg }) => msg === message);
  // The log may come a little later than what is printed.
  await until(() => logged('ready').length === 1);
  return {
    ...running,
    port,
    apiKey: banner.match(/ktk_\w+/)?.[0] as string,
    log,
    logged,
    pids: () => new Map(log().flatMap((line) => (line.msg === 'worker serves' ? [[line.worker, line.pid]] : [])) as []),
  };
}

export interface Call {
  readonly path: string;
  /** Absent: a connection of its own. */
  readonly agent?: Agent;
  /** Sent as the form of a POST; absent: GET. */
  readonly form?: string;
  readonly apiKey?: string;
}

/** Node's own client, which repeats nothing of itself. */
export function call(
  port: number,
  { path, agent, form, apiKey }: Call,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
  const method = form === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const onResponse = async (response: IncomingMessage) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode as number, text });
    };
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false }, (response) => {
      onResponse(response).catch(reject);
    });
    sent.on('error', reject).end(form);
  });
}

export interface BegunRequest {
  readonly socket: Socket;
  /** Sends the body; resolves to all that was received when the connection is closed. */
  end(): Promise<string>;
}

/** A request whose body has not come yet, at one of the workers. */
export async function beginRequest(port: number): Promise<BegunRequest> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  // The answer to Expect shows that the request has begun.
  await once(socket, 'data');
  return {
    socket,
    async end() {
      const isClosed = once(socket, 'close');
      socket.write('a=b&c');
      await isClosed;
      return text;
    },
  };
}

export const EXCHANGE = { path: '/oauth/token', form: 'grant_type=client_credentials' };
const JWKS = { path: '/.well-known/jwks.json' };

export interface Load {
  /** How many clients there are, each with one request at a time. */
  readonly clients: number;
  answered(): number;
  /** Status or error code of whatever was not answered with 200. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Clients that keep their connection, and let it be idle for longer or shorter, and clients with a new one each time. */
export function startLoad({ port, apiKey }: Pick<RunningWorkers, 'port' | 'apiKey'>): Load {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  async function drive(what: Call, pauseMs: number): Promise<void> {
    for (let turn = 1; !isOver; turn += 1) {
      try {
        const { status } = await call(port, what);
        answered += 1;
        if (status !== 200) failures.push(String(status));
      } catch (error) {
        failures.push(String((error as NodeJS.ErrnoException).code ?? error));
      }
      // Never in step with the others.
      await delay(pauseMs * (0.5 + ((turn * 0.618) % 1)));
    }
  }
  const kept = (what: Call): Call => ({ ...what, agent: new Agent({ keepAlive: true, maxSockets: 1 }) });
  const exchange = { ...EXCHANGE, apiKey };
  const clients = [
    ...[2, 5, 20, 100, 500].map((pauseMs) => drive(kept(JWKS), pauseMs)),
    ...[5, 50].map((pauseMs) => drive(kept(exchange), pauseMs)),
    ...[5, 10, 40].map((pauseMs) => drive(JWKS, pauseMs)),
    drive(exchange, 20),
  ];
  return {
    clients: clients.length,
    failures,
    answered: () => answered,
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}
