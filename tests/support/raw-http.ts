import { Agent, request } from 'node:http';
import { connect } from 'node:net';

export interface RawReply {
  /** 0 when the connection was closed without an answer. */
  readonly status: number;
  /** Head and body as they came. */
  readonly text: string;
}

/** Sends bytes that no HTTP client would, and reads until the server closes or has answered once. */
export function sendRaw(url: string, head: readonly string[], body: Buffer | string = ''): Promise<RawReply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setTimeout(10_000, () => reject(new Error(`no answer to ${head[0]}`)));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    // The server may refuse, and close, before it has read all: what it said is there all the same.
    socket.on('error', done);
    socket.on('close', done);
    const bytes = Buffer.from(body);
    const own = ['Host: test', `Content-Length: ${bytes.length}`, 'Connection: close'];
    socket.write(Buffer.concat([Buffer.from([...head, ...own, '', ''].join('\r\n'), 'latin1'), bytes]));
  });
}

export interface FormSender {
  /** `POST /oauth/token` on a connection of its own where all others are busy. */
  send(
    url: string,
    form: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>;
  close(): void;
}

/** Truly parallel requests: `fetch` would queue them behind its pool. */
export function createFormSender(maxSockets: number): FormSender {
  const agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets });
  return {
    send(url, form) {
      const body = new URLSearchParams(form).toString();
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
      return new Promise((resolve, reject) => {
        const sent = request(`${url}/oauth/token`, { method: 'POST', agent, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
