import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CidrBlock } from '@keyturn/lib/protocol';
import type { Express } from 'express';
import type { Logger } from '../logging.ts';
import { redactPath } from '../redact.ts';
import { preparedClasses } from './prepared-classes.ts';
import { openRequest } from './request-context.ts';

const TOKEN_PATH = '/oauth/token';

/** A client that sends its headers or body slower than this is cut off, so that slow sockets can't pile up. */
const TIMEOUTS = {
  headersTimeout: 8_000,
  requestTimeout: 12_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
};

export interface HttpServerOptions {
  /** Null: on the operations port, which has no token endpoint. */
  readonly tokenRoute: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | null;
  readonly app: Express;
  readonly trustedProxies: readonly CidrBlock[];
  readonly logger: Logger;
  readonly isDraining: () => boolean;
}

function logRequest(request: IncomingMessage, response: ServerResponse, startedMs: number, logger: Logger): void {
  logger.info(
    {
      request_id: request.requestId,
      method: request.method,
      path: redactPath(request.sentPath),
      // 499, as nginx has it: the client went away before there was an answer.
      status: response.writableFinished ? response.statusCode : 499,
      ip: request.clientIp?.text ?? null,
      ms: Math.round((performance.now() - startedMs) * 10) / 10,
    },
    'request',
  );
}

const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What node:http could not read as a request gets an error body too, where the connection still takes one. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // node:http's own handler looks there too: bytes after a begun answer would become part of it.
  const { _httpMessage: begun } = socket as { _httpMessage?: ServerResponse };
  if (!socket.writable || error.code === 'ECONNRESET' || begun?.headersSent) return void socket.destroy();
  const status = UNREADABLE[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({
    error: 'invalid_request',
    error_description: 'this is not a request that HTTP/1.1 knows',
  });
  const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close'];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
}

/** Sockets of each server that have not sent a request yet: node:http counts them neither as idle nor as busy. */
const unused = new WeakMap<Server, Set<Duplex>>();

/** Ends the connections on which no request ever came; a browser or a load balancer keeps such ones in store. */
export function closeUnusedConnections(server: Server): void {
  for (const socket of unused.get(server) ?? []) socket.destroy();
}

/** Call what this returns with the socket of each request. */
function trackUnused(server: Server): (socket: Duplex) => void {
  const sockets = new Set<Duplex>();
  unused.set(server, sockets);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return (socket) => void sockets.delete(socket);
}

/** node:http in front: the token endpoint is answered here, all the rest by Express. */
export function createHttpServer({ tokenRoute, app, trustedProxies, logger, isDraining }: HttpServerOptions): Server {
  // Only members named above get there, so that it needs no look for secrets, which takes 3 % of an exchange.
  const requestLog = logger.child({}, { redact: [] });
  const server = createServer(
    { ...TIMEOUTS, ...preparedClasses(app), insecureHTTPParser: false },
    (request, response) => {
      markUsed(request.socket);
      openRequest(request, trustedProxies);
      const startedMs = performance.now();
      response.on('close', () => {
        // Also for requests that were in flight when the draining began: their connections would stay open, idle.
        if (isDraining()) request.socket.end();
        logRequest(request, response, startedMs, requestLog);
      });
      if (isDraining()) response.setHeader('Connection', 'close');
      if (tokenRoute !== null && request.sentPath === TOKEN_PATH) void tokenRoute(request, response);
      else {
        response.setHeader('X-Request-Id', request.requestId);
        app(request, response);
      }
    },
  );
  const markUsed = trackUnused(server);
  return server.on('clientError', answerUnreadable);
}
