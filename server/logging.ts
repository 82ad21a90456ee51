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
/** About what a pipe takes in one piece (PIPE_BUF of Linux), so that lines of several workers rarely mix in it. */
const BATCH_CHARACTERS = 4096;
/** When nobody reads the log any more, lines are dropped, and counted, rather than the memory filled. */
const MAX_UNREAD_BYTES = 16 * 2 ** 20;

/**
 * `stream` with the lines of a moment in one write, and what is left written when the process ends, however it calls for
 * that. Not pino's own destination, which takes 2 µs for a line to this one's 0.2.
 */
function inBatches(stream: NodeJS.WriteStream): DestinationStream & { flush(done?: () => void): void } {
  let pending = '';
  let timer: NodeJS.Timeout | null = null;
  let droppedCount = 0;
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
      if (stream.writableLength > MAX_UNREAD_BYTES) {
        droppedCount += 1;
        return;
      }
      if (droppedCount > 0)
        pending += `{"level":40,"dropped":${droppedCount},"msg":"log lines dropped, nobody read them"}\n`;
      droppedCount = 0;
      if (pending.length + line.length > BATCH_CHARACTERS) flush();
      pending += line;
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    /** For pino's `logger.flush()`. */
    flush(done?: () => void) {
      flush();
      done?.();
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
 * @param bindings fields of every line
 */
export function createLogger(
  level: string,
  destination: DestinationStream = process.stdout,
  bindings: Readonly<Record<string, unknown>> | null = null,
): Logger {
  const isTerminal = destination === process.stdout && process.stdout.isTTY;
  return pino(
    {
      level,
      base: bindings,
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
