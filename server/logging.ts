import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import pinoPretty from 'pino-pretty';
import { systemClock } from './clock.ts';
import { redactSecrets } from './redact.ts';

export type { Logger };

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactSecrets(String(error));
  const { type, message, stack } = stdSerializers.err(error);
  const code = (error as NodeJS.ErrnoException).code;
  return { type, message: redactSecrets(message), code, stack: redactSecrets(stack) };
}

/** Lines wait for company this long: a system call for each would be 4 % of an exchange. Written at exit in any case. */
const FLUSH_MS = 100;
const FLUSH_BYTES = 15 * 1024;
/** When nobody takes the log any more, lines are dropped rather than the memory filled. */
const MAX_PENDING_BYTES = 16 * 2 ** 20;

function bufferedStream(fd: number): DestinationStream {
  const stream = pino.destination({
    fd,
    sync: false,
    minLength: FLUSH_BYTES,
    periodicFlush: FLUSH_MS,
    maxLength: MAX_PENDING_BYTES,
  });
  // A closed reader or a full disk must not end a service that has clients.
  return stream.on('error', () => {});
}

function streamOf(destination: DestinationStream | 1 | 2): DestinationStream {
  return typeof destination === 'number' ? bufferedStream(destination) : destination;
}

let isoText = '';
let isoMs = 0;

/** Many lines are of one millisecond. */
function isoTime(): string {
  const nowMs = systemClock.nowMs();
  if (nowMs !== isoMs) {
    isoMs = nowMs;
    isoText = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return isoText;
}

/**
 * JSON lines on stdout, made readable when that is a terminal. Secrets are kept out where they come in: headers and
 * bodies are never logged, and errors pass through {@link redactSecrets}. The paths below are the second fence.
 *
 * @param destination a stream, or the descriptor of one that the process has anyway. Default 1, stdout.
 */
export function createLogger(level: string, destination: DestinationStream | 1 | 2 = 1): Logger {
  const isTerminal = destination === 1 && process.stdout.isTTY;
  return pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      serializers: { err: serializeError },
      redact: {
        paths: [
          'authorization',
          'client_secret',
          'refresh_token',
          'access_token',
          'password',
          'headers',
          'body',
        ].flatMap((name) => [name, `*.${name}`]),
        censor: '[redacted]',
      },
    },
    isTerminal ? pinoPretty({ sync: true, ignore: 'hostname,pid' }) : streamOf(destination),
  );
}
