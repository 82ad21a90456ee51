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

/** Lines wait this long for company: a system call for each would be 4 % of an exchange. */
const FLUSH_MS = 50;
const FLUSH_CHARACTERS = 16 * 1024;

/**
 * `stream` with the lines of a moment in one write, and what is left written when the process ends, however it calls for
 * that. Not pino's own destination, which takes 2 µs for a line to this one's 0.2.
 */
function inBatches(stream: NodeJS.WritableStream): DestinationStream {
  let pending = '';
  let timer: NodeJS.Timeout | null = null;
  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const lines = pending;
    pending = '';
    if (lines !== '') stream.write(lines);
  }
  process.on('exit', flush);
  return {
    write(line) {
      pending += line;
      if (pending.length >= FLUSH_CHARACTERS) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
  };
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

function streamOf(destination: DestinationStream): DestinationStream {
  const isShared = destination === process.stdout || destination === process.stderr;
  return isShared ? inBatches(destination as NodeJS.WriteStream) : destination;
}

/**
 * JSON lines on stdout, made readable when that is a terminal. Secrets are kept out where they come in: headers and
 * bodies are never logged, and errors pass through {@link redactSecrets}. The paths below are the second fence.
 *
 * @param destination default: stdout. That and stderr get lines in batches, up to 50 ms late.
 */
export function createLogger(level: string, destination: DestinationStream = process.stdout): Logger {
  const isTerminal = destination === process.stdout && process.stdout.isTTY;
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
