import type { z } from 'zod';
import { Problem } from './problem.ts';

interface FieldError {
  /** Null: the whole. */
  readonly field: string | null;
  readonly message: string;
}

const NAMES: Readonly<Record<string, string>> = { array: 'a list', object: 'a JSON object', boolean: 'true or false' };

/** What zod says of one value, in words that tell what to send. */
function errorsOf(issue: z.core.$ZodIssue, kind: string): readonly FieldError[] {
  const field = issue.path.join('.') || null;
  if (issue.code === 'unrecognized_keys') {
    const prefix = field === null ? '' : `${field}.`;
    return issue.keys.map((key) => ({ field: prefix + key, message: `is not a ${kind} here; check the spelling` }));
  }
  if (issue.code === 'invalid_type') {
    const expected = NAMES[issue.expected] ?? `a ${issue.expected}`;
    const isMissing = issue.input === undefined && field !== null;
    return [{ field, message: isMissing ? `is missing; it must be ${expected}` : `must be ${expected}` }];
  }
  return [{ field, message: issue.message }];
}

/**
 * The value as the schema has it.
 *
 * @param kind what the members of the value are called: field, query parameter
 * @throws {Problem} validation_failed, with every error by its field
 */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown, kind: string): z.output<S> {
  const result = schema.safeParse(value ?? {}, { reportInput: true });
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => errorsOf(issue, kind));
  const detail = errors.map(({ field, message }) => `${field ?? 'the body'} ${message}`).join('; ');
  throw new Problem('validation_failed', detail, { errors });
}
