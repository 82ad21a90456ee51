import { DependencyUnavailable } from '../dependency-unavailable.ts';
import type { Logger } from '../logging.ts';
import { redactSecrets } from '../redact.ts';

/**
 * Logs what an operator should know of a refusal: a store that does not answer in a line without a stack, since every
 * request says it while that lasts; an unexpected error whole; what the client did, not at all.
 */
export function logFault(logger: Logger, requestId: string, error: unknown, code: string): void {
  if (error instanceof DependencyUnavailable) {
    const reason = error.cause instanceof Error ? redactSecrets(error.cause.message) : null;
    logger.warn({ request_id: requestId, dependency: error.dependency, reason }, code);
  } else if (code === 'internal') logger.error({ request_id: requestId, err: error }, code);
}
