/** Errors of the management API: RFC 9457 problem+json with a closed set of codes. */

import { SecretHasherBusy } from '../api-keys/secret-hasher.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import { redactSecrets } from '../redact.ts';

interface ProblemEntry {
  readonly status: number;
  /** RFC 9457 `title`: the same for every occurrence. */
  readonly title: string;
  /** What to do about it, for the page of the error catalogue. */
  readonly remedy: string;
}

export const PROBLEMS = {
  validation_failed: {
    status: 400,
    title: 'The request does not fit the schema',
    remedy:
      'Each entry of errors names a field and what it must be. Unknown fields are refused, so that a misspelt one is seen.',
  },
  body_malformed: {
    status: 400,
    title: 'The body is not well-formed JSON',
    remedy: 'Send a JSON object in UTF-8 with Content-Type: application/json.',
  },
  authorization_malformed: {
    status: 400,
    title: 'The access token is not where it belongs',
    remedy: 'Send it once, as Authorization: Bearer, and nowhere else: not in the URL, not in the body.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid access token',
    remedy:
      'Exchange an API key at /oauth/token and send the access token as Authorization: Bearer. detail says what was wrong.',
  },
  sign_in_failed: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    remedy:
      'Try again; after ten failures nobody signs in as this user for a quarter of an hour. An administrator can send a new invitation.',
  },
  origin_not_allowed: {
    status: 403,
    title: 'The request does not come from the console',
    remedy:
      'Whoever signs in with a cookie must send the Origin of Keyturn itself. Scripts use an access token instead.',
  },
  permission_missing: {
    status: 403,
    title: 'The access token lacks a permission',
    remedy: 'required_permission is what the API key must hold; an administrator of the project can grant it.',
  },
  permission_exceeds_grantor: {
    status: 403,
    title: 'Nobody hands out what they do not hold',
    remedy: 'Ask for fewer permissions, or let somebody create the key who holds those that detail names.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    remedy: 'Check the path and the id. An object of another project is answered as an absent one.',
  },
  method_not_allowed: { status: 405, title: 'Method not allowed', remedy: 'Allow lists the methods of this path.' },
  name_taken: {
    status: 409,
    title: 'The name is taken',
    remedy: 'Names of API keys are unique in their project. Choose another, or delete the key that has it.',
  },
  slug_taken: {
    status: 409,
    title: 'The slug is taken',
    remedy: 'Slugs stand for ids in paths and are unique. Choose another; the slug of a deleted object is free again.',
  },
  email_taken: {
    status: 409,
    title: 'Another user has this e-mail address',
    remedy: 'Look the user up by it: GET /v1/users?q=. One person is one user, whatever the projects.',
  },
  own_user: {
    status: 409,
    title: 'Nobody deletes their own user',
    remedy: 'Let somebody else do it who may delete users.',
  },
  object_in_use: {
    status: 409,
    title: 'Something still uses the object',
    remedy: 'Take it from the API keys and members that have it, then delete it.',
  },
  setup_link_spent: {
    status: 410,
    title: 'The link can not be used',
    remedy: 'It works once, for seven days, and ends when a newer one is made. Ask for a new invitation.',
  },
  signing_key_pending: {
    status: 409,
    title: 'A signing key waits to take over',
    remedy: 'One rotation at a time: kid is the key that takes over next, 15 minutes after it was published.',
  },
  built_in_role: {
    status: 409,
    title: 'A built-in role does not change',
    remedy: 'Every project has the same built-in roles. Make a role of your own with the permissions that you want.',
  },
  last_administrator: {
    status: 409,
    title: 'Somebody must administer the project',
    remedy: 'Give another member the role Administrator, or another one with *:keyturn, in the whole project first.',
  },
  last_project: {
    status: 409,
    title: 'The last project is not deleted',
    remedy: 'Create another project first.',
  },
  already_member: {
    status: 409,
    title: 'The user is a member already',
    remedy: 'Change their roles with PATCH on the member.',
  },
  version_mismatch: {
    status: 412,
    title: 'The object has changed since it was read',
    remedy: 'Read it again, look at what has changed, and send the change with the new ETag in If-Match.',
  },
  body_too_large: { status: 413, title: 'The body is larger than 64 KiB', remedy: 'Send less.' },
  media_type_unsupported: {
    status: 415,
    title: 'The body is not JSON',
    remedy: 'Send Content-Type: application/json in UTF-8, without a Content-Encoding.',
  },
  token_too_large: {
    status: 422,
    title: 'Access tokens of this key would be larger than 8 KiB',
    remedy:
      'Shorten the permissions or the IP allowlist: wider patterns, CIDRs instead of single addresses, or several keys.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many chosen secrets are being hashed',
    remedy: 'Try again after Retry-After seconds, or let Keyturn generate the secret.',
  },
  sign_in_locked: {
    status: 429,
    title: 'Too many sign-ins have failed',
    remedy: 'Try again after Retry-After seconds; meanwhile the right password is refused, too.',
  },
  internal: {
    status: 500,
    title: 'An unexpected fault of Keyturn',
    remedy: 'Tell its operator the request_id.',
  },
  dependency_unavailable: {
    status: 503,
    title: 'A store that Keyturn needs does not answer',
    remedy: 'Try again after Retry-After seconds. The request may or may not have taken effect.',
  },
} as const satisfies Record<string, ProblemEntry>;

export type ProblemCode = keyof typeof PROBLEMS;

/** A refusal of the management API. */
export class Problem extends Error {
  readonly code: ProblemCode;
  /** Further members of the answer, in wire format. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.members = members;
  }
}

/** What Express's body reader says, by its `type`. Its messages and `body` carry what the client sent: never used. */
const BODY_ERRORS: Readonly<Record<string, ProblemCode>> = {
  'entity.parse.failed': 'body_malformed',
  'entity.too.large': 'body_too_large',
  'charset.unsupported': 'media_type_unsupported',
  'encoding.unsupported': 'media_type_unsupported',
};

/** The problem that any error thrown in a route amounts to; unknown becomes `internal`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DependencyUnavailable) return new Problem('dependency_unavailable', 'try again in a moment');
  if (error instanceof SecretHasherBusy) return new Problem('too_many_requests', 'try again in a moment');
  const { type, status } = error as { type?: unknown; status?: unknown };
  const code = BODY_ERRORS[String(type)];
  if (code !== undefined) return new Problem(code, PROBLEMS[code].remedy);
  // An undecodable path, a body cut short: Express marks what is the client's fault.
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem('body_malformed', 'the path or the body could not be read');
  return new Problem('internal', 'the fault has been logged under this request_id');
}

/** RFC 9457 §3 as JSON; a secret that was sent where none belongs is not repeated. */
export function problemBody(problem: Problem, issuer: string, requestId: string): string {
  const { status, title } = PROBLEMS[problem.code];
  const body = {
    type: `${issuer}/errors/${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    ...problem.members,
    request_id: requestId,
  };
  return JSON.stringify(body, (_name, value) => (typeof value === 'string' ? redactSecrets(value) : value));
}
