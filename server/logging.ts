import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import pinoPretty from 'pino-pretty';
import { redactSecrets } from './redact.ts';

export type { Logger };

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactSecrets(String(error));
  const { type, message, stack } = stdSerializers.err(error);
  const code = (error as NodeJS.ErrnoException).code;
  return { type, message: redactSecrets(message), code, stack: redactSecrets(stack) };
}

/**
 * JSON lines on stdout, made readable when that is a terminal. Secrets are kept out where they come in: headers and
 * bodies are never logged, and errors pass through {@link redactSecrets}. The paths below are the second fence.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const isTerminal = destination === undefined && process.stdout.isTTY;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
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
    destination ?? (isTerminal ? pinoPretty({ sync: true, ignore: 'hostname,pid' }) : process.stdout),
  );
}
