/**
 * One operation of the management API: what it takes, answers and may refuse, as it is validated, served and documented in
 * `/openapi.json`. Whoever adds one adds it here once.
 */
import type { Request } from 'express';
import { z } from 'zod';
import type { Actor } from '../access-control/actor.ts';
import type { Project } from '../access-control/project.ts';
import type { ExpectedVersions } from '../object-version.ts';
import type { GrantableIn } from '../users/manage-users.ts';
import type { Authorizer, Caller } from './authorize.ts';
import { parseWith } from './parse-with.ts';
import { Problem, type ProblemCode } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** What a path begins with: Keyturn's own API, or that of ALM Octane, whose clients find here what they know. */
export type Base = '/v1' | '/api';

export interface Answer {
  readonly status: number;
  /** JSON; absent: no content. */
  readonly body?: unknown;
  /** Version of the object in `body`: becomes its `ETag`. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who may call it: see {@link Authorizer}. */
export type Access =
  /** `action:keyturn/resource` in the project of the path. */
  | { readonly kind: 'project'; readonly action: string; readonly resource: string }
  /** `action:keyturn-installation/resource`. */
  | { readonly kind: 'installation'; readonly action: string; readonly resource: string }
  /** Anybody who proves who they are. */
  | { readonly kind: 'caller' }
  /** Anybody. */
  | { readonly kind: 'anyone' };

interface Description<Query extends z.ZodType, Body extends z.ZodType> {
  /** `operationId`: a verb and a noun, such as `createApiKey`. */
  readonly id: string;
  readonly method: Method;
  /** Default `/v1`. */
  readonly base?: Base;
  /** Below `base`, with parameters in braces: `/projects/{project}/keys`. */
  readonly path: string;
  /** Heading under which it stands in the documentation. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Default: no query parameters. */
  readonly query?: Query;
  /** Default: no body. */
  readonly body?: Body;
  /** Schema of the answer by status of success; null: no content. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** What it refuses beside what its kind of access, query and body imply. */
  readonly problems?: readonly ProblemCode[];
}

export interface Call<Query, Body> {
  readonly request: Request;
  /** By name; decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** From `If-Match`. */
  readonly expectedVersions: ExpectedVersions;
}

export interface Operation extends Description<z.ZodType, z.ZodType> {
  readonly access: Access;
  readonly run: (request: Request, authorizer: Authorizer) => Promise<Answer>;
}

type Handler<Query extends z.ZodType, Body extends z.ZodType, Known> = (
  call: Call<z.output<Query>, z.output<Body>>,
  known: Known,
) => Promise<Answer>;

type Definition<Query extends z.ZodType, Body extends z.ZodType, Known> = Description<Query, Body> & {
  readonly handle: Handler<Query, Body, Known>;
};

type AccessDefinition<Query extends z.ZodType, Body extends z.ZodType, Known> = Definition<Query, Body, Known> & {
  readonly action: string;
  readonly resource: string;
};

/** In one project, which the path names first; others' projects do not exist for the caller. */
export function projectOperation<Query extends z.ZodType, Body extends z.ZodType>({
  action,
  resource,
  ...definition
}: AccessDefinition<Query, Body, { readonly project: Project; readonly actor: Actor }>): Operation {
  return define(definition, { kind: 'project', action, resource }, (request, authorizer) =>
    authorizer.inProject(request, action, resource),
  );
}

/** On what belongs to no project. */
export function installationOperation<Query extends z.ZodType, Body extends z.ZodType>({
  action,
  resource,
  ...definition
}: AccessDefinition<Query, Body, { readonly actor: Actor; readonly grantableIn: GrantableIn }>): Operation {
  return define(definition, { kind: 'installation', action, resource }, (request, authorizer) =>
    authorizer.inInstallation(request, action, resource),
  );
}

/** On what is the caller's own. `identify` looks up who that is; the access token or session itself has been verified. */
export function callerOperation<Query extends z.ZodType, Body extends z.ZodType>(
  definition: Definition<Query, Body, { readonly identify: () => Promise<Caller> }>,
): Operation {
  return define(definition, { kind: 'caller' }, async (request, authorizer) => ({
    identify: () => authorizer.identify(request),
  }));
}

/** Without authentication. */
export function publicOperation<Query extends z.ZodType, Body extends z.ZodType>(
  definition: Definition<Query, Body, null>,
): Operation {
  return define(definition, { kind: 'anyone' }, async () => null);
}

function define<Query extends z.ZodType, Body extends z.ZodType, Known>(
  { handle, ...description }: Definition<Query, Body, Known>,
  access: Access,
  know: (request: Request, authorizer: Authorizer) => Promise<Known>,
): Operation {
  return {
    ...(description as Description<z.ZodType, z.ZodType>),
    access,
    async run(request, authorizer) {
      // First: nobody learns from the faults of a body what they may not know.
      const known = await know(request, authorizer);
      const call = {
        request,
        params: request.params as Readonly<Record<string, string>>,
        query: parseQuery(description.query, request.query) as z.output<Query>,
        body: (description.body && parseWith(description.body, request.body, 'field')) as z.output<Body>,
        expectedVersions: parseIfMatch(request.headers['if-match']),
      };
      return handle(call, known);
    },
  };
}

const NO_PARAMETERS = z.strictObject({});

function parseQuery(schema: z.ZodType | undefined, query: unknown): unknown {
  return parseWith(schema ?? NO_PARAMETERS, query, 'query parameter');
}

/** `ETag` of a version, and of what a client sends back of it. */
export const formatETag = (version: number): string => `"v${version}"`;
const ETAGS = /^\s*"v\d{1,15}"(\s*,\s*"v\d{1,15}")*\s*$/;

/** @throws {Problem} version_mismatch, for what no object of ours was ever called */
function parseIfMatch(header: string | undefined): ExpectedVersions {
  if (header === undefined || header.trim() === '*') return null;
  if (!ETAGS.test(header))
    throw new Problem('version_mismatch', 'If-Match must be an ETag as it was answered, with its quotes: "v3"');
  return [...header.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}
