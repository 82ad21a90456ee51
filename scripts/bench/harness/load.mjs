/* HTTP load over keep-alive connections, from raw sockets: a client library would cost more than the servers it measures,
   and on two cores the load must not be what is slow. */
import { connect } from 'node:net';

const HEADER_END = '\r\n\r\n';

/** The bytes of one POST or GET. */
export function requestBytes({ method = 'POST', path, headers = {}, body = '' }) {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'GET' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`);
}

/** One keep-alive connection; a request at a time. */
export async function openConnection(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  let pending = null;
  let received = null;

  const fail = (error) => {
    pending?.reject(error);
    pending = null;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection in the middle of the load')));
  socket.on('data', (chunk) => {
    received = received === null ? chunk : Buffer.concat([received, chunk]);
    const response = readResponse(received);
    if (response === null) return;
    received = null;
    const { resolve } = pending;
    pending = null;
    resolve(response);
  });

  return {
    /** Sends the bytes of a request; resolves to `{ status, head, body }` when the whole answer is there. */
    send(bytes) {
      return new Promise((resolve, reject) => {
        pending = { resolve, reject };
        socket.write(bytes);
      });
    },
    close: () => socket.destroy(),
  };
}

function readResponse(bytes) {
  const headerEnd = bytes.indexOf(HEADER_END);
  if (headerEnd < 0) return null;
  const head = bytes.latin1Slice(0, headerEnd);
  const bodyStart = headerEnd + HEADER_END.length;
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const bodyEnd = bodyStart + Number(length);
    return bytes.length < bodyEnd ? null : { status, head, body: bytes.subarray(bodyStart, bodyEnd) };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return readChunks({ status, head }, bytes, bodyStart);
  return { status, head, body: Buffer.alloc(0) };
}

function readChunks(answer, bytes, start) {
  const chunks = [];
  for (let at = start; ; ) {
    const sizeEnd = bytes.indexOf('\r\n', at);
    if (sizeEnd < 0) return null;
    const size = Number.parseInt(bytes.latin1Slice(at, sizeEnd), 16);
    const end = sizeEnd + 2 + size;
    if (bytes.length < end + 2) return null;
    if (size === 0) return { ...answer, body: Buffer.concat(chunks) };
    chunks.push(bytes.subarray(sizeEnd + 2, end));
    at = end + 2;
  }
}

function assertOk({ status, body }) {
  if (status !== 200) throw new Error(`an answer of ${status} under load: ${body.toString().slice(0, 300)}`);
}

/**
 * Each connection sends its next request as soon as it has the answer to the last, for `durationMs`. Any answer but 200
 * ends the measurement with an error: how fast a server refuses is not what is measured.
 *
 * @param clients one a connection: `{ next(): Buffer, answered?(body: Buffer): void }`, kept from round to round
 * @returns {Promise<{ requests: number, seconds: number }>}
 */
export async function closedLoop({ port, clients, durationMs }) {
  const connections = await Promise.all(clients.map(() => openConnection(port)));
  try {
    let requests = 0;
    const startedMs = performance.now();
    const endsMs = startedMs + durationMs;
    const drive = async (connection, client) => {
      do {
        const response = await connection.send(client.next());
        assertOk(response);
        client.answered?.(response.body);
        requests += 1;
      } while (performance.now() < endsMs);
    };
    await Promise.all(connections.map((connection, index) => drive(connection, clients[index])));
    return { requests, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/**
 * `perSecond` requests in even steps, whether answers come or not, on connections that take turns; more than
 * `connections` are opened as they are needed.
 *
 * @param onAnswer is told of every answer: `(status, latencyMs, { sentMs, head })`, `sentMs` since the start of the load
 */
export async function openLoop({ port, next, perSecond, durationMs, onAnswer, connections = 0 }) {
  const all = await Promise.all(Array.from({ length: connections }, () => openConnection(port)));
  const idle = [...all];
  const underWay = new Set();
  // From when it was due, not from when it was sent: a load that falls behind must not flatter the server.
  const sendOne = async (dueMs) => {
    let connection = idle.shift();
    if (connection === undefined) {
      connection = await openConnection(port);
      all.push(connection);
    }
    const { status, head } = await connection.send(next());
    idle.push(connection);
    onAnswer(status, performance.now() - dueMs, { sentMs: dueMs - startedMs, head });
  };
  let failure = null;
  const startedMs = performance.now();
  let sent = 0;
  while (failure === null) {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs >= durationMs) break;
    for (const dueCount = Math.floor((elapsedMs / 1000) * perSecond); sent < dueCount; sent += 1) {
      const one = sendOne(startedMs + (sent * 1000) / perSecond)
        .catch((error) => {
          failure ??= error;
        })
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(underWay);
  for (const connection of all) connection.close();
  if (failure !== null) throw failure;
}
