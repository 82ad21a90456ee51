/** How a server stops, alone on its port or where other processes go on serving it. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { closeUnusedConnections } from './http-server.ts';

const DRAIN_MS = 10_000;
/** A client that keeps its connections busy sends the next request well within this. */
const LINGER_MS = 3_000;

/** Refuses new connections, closes those without a request, and ends the others after their answer or in 10 seconds. */
export async function closeServer(server: Server): Promise<void> {
  const isClosed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  closeUnusedConnections(server);
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await isClosed;
  clearTimeout(timer);
}

/**
 * Takes no new connections, which other processes on the port do, and tells each client with its next answer to open
 * another. A connection closed right after an answer, or before its first request, may meet a request that is on its
 * way, and that one would be lost; so for three seconds none is. {@link closeServer} closes what is left then.
 */
export async function retireServer(server: Server): Promise<void> {
  const tellToClose = (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Connection', 'close');
  };
  // In front: the answer may be written before listeners that come later are asked.
  server.prependListener('request', tellToClose);
  const lingering = new AbortController();
  const isClosed = once(server, 'close', { signal: lingering.signal }).catch(() => {});
  const timer = setTimeout(() => lingering.abort(), LINGER_MS);
  // Not that of node:http, which closes idle connections at once.
  NetServer.prototype.close.call(server);
  await isClosed;
  clearTimeout(timer);
}
