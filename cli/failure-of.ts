import { CommanderError } from 'commander';
import { ConfigError } from '../server/config.ts';
import { MasterKeyMismatch } from '../server/crypto/master-key.ts';
import { DependencyUnavailable } from '../server/dependency-unavailable.ts';
import { MasterKeyMissing } from '../server/master-key-file.ts';
import { redactSecrets } from '../server/redact.ts';
import { SigningKeyPending } from '../server/signing-keys/signing-key-lifecycle.ts';
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** Where to look, by what did not answer. */
const DEPENDENCY_ADVICE = {
  database: 'check DATABASE_URL, and that the database runs',
  redis: 'check REDIS_URL, and that Redis runs',
  signing_keys: 'the signing keys could not be read or written; try again',
  stores: 'the database or Redis is slow; try again',
} as const;

function unreachable(error: DependencyUnavailable): CommandFailure {
  const reason = error.cause instanceof Error ? ` (${redactSecrets(error.cause.message)})` : '';
  const message = `${error.message}${reason}: ${DEPENDENCY_ADVICE[error.dependency]}`;
  return new CommandFailure(EXIT_CODES.unreachable, 'dependency_unavailable', message, {
    dependency: error.dependency,
  });
}

function usageFault({ code, message }: CommanderError): CommandFailure {
  // What commander throws after it has printed the help of a group of commands.
  const isGroup = code === 'commander.help';
  const text = isGroup ? 'a command is missing; --help lists them' : message.replace(/^error: /, '');
  return new CommandFailure(EXIT_CODES.usage, 'usage', text);
}

/** Not of a socket: those have no path. */
function isFileError(error: unknown): error is NodeJS.ErrnoException & { readonly path: string } {
  const { code, path, syscall } = error as Partial<NodeJS.ErrnoException>;
  return typeof code === 'string' && typeof path === 'string' && syscall !== undefined;
}

/** What any error thrown by a command amounts to; unknown becomes `internal`. */
export function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof CommanderError) return usageFault(error);
  if (error instanceof ConfigError)
    return new CommandFailure(EXIT_CODES.usage, 'settings_wrong', error.message, { faults: error.faults });
  if (error instanceof DependencyUnavailable) return unreachable(error);
  if (error instanceof SigningKeyPending)
    return new CommandFailure(EXIT_CODES.failed, 'signing_key_pending', error.message, { kid: error.kid });
  if (error instanceof MasterKeyMissing)
    return new CommandFailure(EXIT_CODES.failed, 'master_key_missing', error.message);
  if (error instanceof MasterKeyMismatch)
    return new CommandFailure(EXIT_CODES.failed, 'master_key_mismatch', error.message);
  if (isFileError(error)) {
    const message = `can't use ${error.path} (${error.code}): check that it can be read and written`;
    return new CommandFailure(EXIT_CODES.failed, 'file_unusable', message, { path: error.path });
  }
  const message = error instanceof Error ? error.message : String(error);
  const failure = new CommandFailure(EXIT_CODES.failed, 'internal', redactSecrets(message));
  failure.stack = redactSecrets(error instanceof Error ? (error.stack ?? message) : message);
  return failure;
}
