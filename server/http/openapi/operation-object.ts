/** One operation of the management API as the document describes it. */
import { STATUS_CODES } from 'node:http';
import type { Operation } from '../operation.ts';
import type { DocumentedSchemas, Json } from './documented-schemas.ts';
import { operationExamples } from './operation-examples.ts';
import type { ProblemResponses } from './problem-responses.ts';

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  project: 'Id (`prj_…`) or slug of the project',
  workspace: 'Id (`wsp_…`) or slug of the workspace',
  role: 'Id (`rol_…`) or slug of the role',
  key: 'Id (`key_…`) of the API key',
  user: 'Id (`usr_…`) of the user',
  session: 'Id (`ses_…`) of the session',
  kid: '`kid` of the signing key',
};

export const LOCATION: Json = {
  description: 'Path of what has been made',
  required: true,
  schema: { type: 'string', format: 'uri-reference' },
};

const header = (name: string): Json => ({ $ref: `#/components/headers/${name}` });

function pathParameters(path: string): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[name] ?? `Id of the ${name}`,
    schema: { type: 'string' },
  }));
}

/** The members of the query's schema, each as a parameter; its words stand beside its schema. */
function queryParameters(schema: Json | null): readonly Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...shape }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: shape,
  }));
}

const isConditional = ({ problems = [] }: Operation): boolean => problems.includes('version_mismatch');

/** Paths of objects that have a version: those that can be changed on a condition. */
export function versionedPaths(operations: readonly Operation[]): ReadonlySet<string> {
  return new Set(operations.filter(isConditional).map(({ path }) => path));
}

/** Whether it makes an object with a version, in the list above it. Octane's are made several at once. */
const isCreation = ({ base, path }: Operation, status: string, versioned: ReadonlySet<string>): boolean =>
  status === '201' && base !== '/api' && [...versioned].some((one) => one.replace(/\/\{\w+\}$/, '') === path);

const SETS_COOKIE = ['signIn', 'setUp', 'signOut'];

function successHeaders(operation: Operation, status: string, versioned: ReadonlySet<string>): Json {
  const { id, method, path } = operation;
  const isMade = isCreation(operation, status, versioned);
  const isShown = status === '200' && method !== 'DELETE' && versioned.has(path);
  return {
    'X-Request-Id': header('X-Request-Id'),
    ...((isMade || isShown) && { ETag: header('ETag') }),
    ...(status === '201' && { Location: isMade ? header('Location') : { ...LOCATION, required: false } }),
    ...(SETS_COOKIE.includes(id) && { 'Set-Cookie': header('Set-Cookie') }),
  };
}

interface Surroundings {
  readonly schemas: DocumentedSchemas;
  readonly problems: ProblemResponses;
  readonly versioned: ReadonlySet<string>;
}

function successResponse(operation: Operation, status: string, { schemas, versioned }: Surroundings): Json {
  const schema = schemas.answer(operation, status);
  const example = operationExamples[operation.id]?.answer;
  return {
    description: STATUS_CODES[status] ?? status,
    headers: successHeaders(operation, status, versioned),
    ...(schema !== null && { content: { 'application/json': { schema, ...(example && { example }) } } }),
  };
}

function requiredPermission({ access }: Operation): string | null {
  if (access.kind === 'project') return `${access.action}:keyturn/${access.resource}`;
  return access.kind === 'installation' ? `${access.action}:keyturn-installation/${access.resource}` : null;
}

function requestBody(operation: Operation, { schemas }: Surroundings): Json {
  const body = schemas.body(operation);
  if (body === null) return {};
  const example = operationExamples[operation.id]?.body;
  const content = { 'application/json': { schema: body.schema, ...(example && { example }) } };
  return { requestBody: { required: body.isRequired, content } };
}

export function operationObject(operation: Operation, surroundings: Surroundings): Json {
  const { schemas, problems } = surroundings;
  const { id, tag, summary, description, path, answers, access } = operation;
  const permission = requiredPermission(operation);
  const words = [description, permission && `Takes \`${permission}\`.`].filter(Boolean).join('\n\n');
  const parameters = [
    ...pathParameters(path),
    ...queryParameters(schemas.query(operation)),
    ...(isConditional(operation) ? [{ $ref: '#/components/parameters/If-Match' }] : []),
  ];
  const successes = Object.keys(answers).map((status) => [status, successResponse(operation, status, surroundings)]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(words !== '' && { description: words }),
    security: access.kind === 'anyone' ? [] : [{ accessToken: [] }, { consoleSession: [] }],
    ...(permission !== null && { 'x-required-permission': permission }),
    ...(parameters.length > 0 && { parameters }),
    ...requestBody(operation, surroundings),
    responses: { ...Object.fromEntries(successes), ...problems.of(operation) },
  };
}
