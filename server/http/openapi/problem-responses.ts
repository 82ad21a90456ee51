/** What an operation refuses, as responses of the document: those of its `problems` and those that its kind implies. */
import type { Operation } from '../operation.ts';
import { PROBLEMS, type ProblemCode } from '../problem.ts';
import type { Json } from './documented-schemas.ts';

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const count = { type: 'integer', minimum: 0 };

/** Members beyond those of every problem; the second list names those that are always there. */
const MEMBERS: Partial<Record<ProblemCode, { readonly members: Json; readonly always: readonly string[] }>> = {
  validation_failed: {
    members: {
      errors: {
        type: 'array',
        description: 'Every fault by its field; null: the whole body',
        items: {
          type: 'object',
          properties: { field: { type: ['string', 'null'] }, message: text },
          required: ['field', 'message'],
        },
      },
    },
    always: ['errors'],
  },
  authorization_malformed: { members: { reason: text }, always: [] },
  unauthenticated: { members: { reason: { ...text, description: 'Why, as a code' } }, always: [] },
  permission_missing: {
    members: {
      required_permission: { ...text, description: 'What the caller would have to hold' },
      reason: text,
    },
    always: [],
  },
  permission_exceeds_grantor: {
    members: { permissions: { ...texts, description: 'What the caller does not hold' } },
    always: ['permissions'],
  },
  object_in_use: { members: { key_count: count, member_count: count }, always: [] },
  already_member: { members: { user_id: text }, always: [] },
  signing_key_pending: { members: { kid: text }, always: ['kid'] },
  sign_in_locked: { members: { retry_after_seconds: count }, always: ['retry_after_seconds'] },
  token_too_large: {
    members: {
      length: { ...count, description: 'Characters that the token would have' },
      key_id: { ...text, description: 'The API key whose token it would be, where that is another object' },
    },
    always: ['length'],
  },
};

const schemaName = (code: ProblemCode): string =>
  `Problem${code.replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase())}`;

function problemSchema(code: ProblemCode): Json {
  const { status, title, remedy } = PROBLEMS[code];
  const { members = {}, always = [] } = MEMBERS[code] ?? {};
  return {
    type: 'object',
    title,
    description: remedy,
    properties: {
      type: { type: 'string', format: 'uri', description: 'The page of this error' },
      title: { const: title },
      status: { const: status },
      code: { const: code },
      detail: { type: 'string', description: 'What was wrong this time, for a person' },
      ...members,
      request_id: { type: 'string', description: 'Also in X-Request-Id, and in the log' },
    },
    required: ['type', 'title', 'status', 'code', 'detail', ...always, 'request_id'],
  };
}

/** Every code that the operation may answer with. */
export function problemCodesOf({ method, access, path, body, problems = [] }: Operation): readonly ProblemCode[] {
  const codes = new Set<ProblemCode>(['validation_failed', 'internal', 'dependency_unavailable', ...problems]);
  // What the path names may be absent, and a path that can't be decoded counts as malformed too.
  if (path.includes('{')) codes.add('not_found').add('body_malformed');
  if (body !== undefined) codes.add('body_malformed').add('body_too_large').add('media_type_unsupported');
  if (access.kind !== 'anyone') codes.add('authorization_malformed').add('unauthenticated');
  // By cookie a write must come from Keyturn's own pages.
  if (access.kind !== 'anyone' && method !== 'GET') codes.add('origin_not_allowed');
  if (access.kind === 'project' || access.kind === 'installation') codes.add('permission_missing');
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.has(code));
}

const HEADERS: Readonly<Record<number, Json>> = {
  // For a token that is sent in a wrong place (RFC 6750 §3.1).
  400: { 'WWW-Authenticate': { required: false, schema: text } },
  401: { 'WWW-Authenticate': { $ref: '#/components/headers/WWW-Authenticate' } },
  429: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } },
  503: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } },
};

function problemResponse(status: number, codes: readonly ProblemCode[]): Json {
  const references = codes.map((code) => ({ $ref: `#/components/schemas/${schemaName(code)}` }));
  const mapping = Object.fromEntries(codes.map((code) => [code, `#/components/schemas/${schemaName(code)}`]));
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('. '),
    headers: { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' }, ...HEADERS[status] },
    content: {
      'application/problem+json': {
        schema:
          references.length === 1
            ? references[0]
            : { oneOf: references, discriminator: { propertyName: 'code', mapping } },
      },
    },
  };
}

export interface ProblemResponses {
  /** `components.schemas`, one for each code that some operation answers with. */
  readonly schemas: () => Json;
  /** `components.responses`, one for each set of codes that some operation answers with. */
  readonly responses: () => Json;
  /** `responses` of an operation, by status. */
  of(operation: Operation): Json;
}

export function documentProblems(): ProblemResponses {
  const used = new Set<ProblemCode>();
  const shared: Record<string, Json> = {};

  function reference(status: number, ofStatus: readonly ProblemCode[]): Json {
    const name = ofStatus.join('.');
    for (const code of ofStatus) used.add(code);
    shared[name] ??= problemResponse(status, ofStatus);
    return { $ref: `#/components/responses/${name}` };
  }

  return {
    schemas: () => Object.fromEntries([...used].sort().map((code) => [schemaName(code), problemSchema(code)])),
    responses: () => shared,
    of(operation) {
      const byStatus = new Map<number, ProblemCode[]>();
      for (const code of problemCodesOf(operation)) {
        const { status } = PROBLEMS[code];
        byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
      }
      return Object.fromEntries([...byStatus].map(([status, ofStatus]) => [status, reference(status, ofStatus)]));
    },
  };
}
