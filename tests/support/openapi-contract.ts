/** Holds a running Keyturn against its own `/openapi.json`: every answer that passes here must be as it is documented. */
import { type Keyturn, type Reply, readReply } from './keyturn-server.ts';
import { createSchemaCheck, type Json } from './openapi-schemas.ts';

export interface Sent {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Becomes the body, as JSON. */
  readonly json?: unknown;
  /** Becomes the body, as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** The body as it is. */
  readonly raw?: string;
}

export interface DocumentedOperation {
  readonly id: string;
  /** In capitals. */
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly statuses: readonly number[];
  /** As the document has it, with references followed where it matters. */
  readonly object: Json;
}

export interface OpenApiContract {
  readonly document: Json;
  readonly operations: readonly DocumentedOperation[];
  /** What of an answer is not as it is documented, each fault as a text; what is becomes seen. */
  check(sent: Sent, reply: Reply): readonly string[];
  /** Sends it. @throws {Error} for an answer that is not documented, with every difference */
  send(sent: Sent): Promise<Reply>;
  /** Statuses that an operation has answered with so far. */
  seen(operationId: string): ReadonlySet<number>;
}

/** Headers of an answer that mean something to its client: none may come as a surprise. */
const TELLING_HEADERS = ['etag', 'location', 'retry-after', 'www-authenticate', 'allow', 'set-cookie'];

function follow(document: Json, object: Json): Json {
  if (object?.$ref === undefined) return object;
  const steps = (object.$ref as string).slice(2).split('/');
  return steps.reduce((at, step) => at[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

function documentedOperations(document: Json): readonly DocumentedOperation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, object]) => ({
      id: object.operationId,
      method: method.toUpperCase(),
      path,
      statuses: Object.keys(object.responses).map(Number),
      object,
    })),
  );
}

const toPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/[.*+?^$()[\]\\|]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/** Those of the path that fits best: OpenAPI puts one with fewer parameters first. */
function operationsAt(operations: readonly DocumentedOperation[], path: string): readonly DocumentedOperation[] {
  const matching = operations.filter((operation) => toPattern(operation.path).test(path));
  const countParameters = (of: DocumentedOperation): number => of.path.split('{').length;
  const fewest = Math.min(...matching.map(countParameters));
  return matching.filter((operation) => countParameters(operation) === fewest);
}

function createChecks(document: Json) {
  const reading = { isClosed: true, isPartial: false, isText: false };
  const whole = createSchemaCheck(document, reading);
  const partial = createSchemaCheck(document, { ...reading, isPartial: true });
  const request = createSchemaCheck(document, { ...reading, isClosed: false });
  const text = createSchemaCheck(document, { ...reading, isText: true });

  function checkHeaders(response: Json, { headers }: Reply): readonly string[] {
    const documented = Object.entries<Json>(response.headers ?? {});
    const names = documented.map(([name]) => name.toLowerCase());
    const surprises = TELLING_HEADERS.filter((name) => headers.has(name) && !names.includes(name));
    const faults = documented.flatMap(([name, reference]) => {
      const { required, schema } = follow(document, reference);
      const value = headers.get(name);
      if (value === null) return required ? [`header ${name} is missing`] : [];
      return text({ type: 'object', properties: { value: schema } }, { value }).map(
        (fault) => `header ${name} ${fault}`,
      );
    });
    return [...surprises.map((name) => `header ${name} is not documented: ${headers.get(name)}`), ...faults];
  }

  function checkBody(response: Json, reply: Reply, isPartial: boolean): readonly string[] {
    const mediaType = (reply.headers.get('content-type') ?? '').split(';')[0] ?? '';
    if (response.content === undefined) return reply.text === '' ? [] : ['it has a body, and none is documented'];
    const content = response.content[mediaType];
    if (content === undefined)
      return [`its type is ${mediaType}, documented is ${Object.keys(response.content).join(', ')}`];
    const body = reply.body ?? reply.text;
    return (isPartial ? partial : whole)(content.schema, body).map((fault) => `body ${fault}`);
  }

  /** What was accepted must be documented as acceptable. */
  function checkRequest({ object, path }: DocumentedOperation, sent: Sent): readonly string[] {
    const parameters: Json[] = (object.parameters ?? []).map((parameter: Json) => follow(document, parameter));
    const query = new URLSearchParams(sent.path.split('?')[1] ?? '');
    const faults = [...query].flatMap(([name, value]) => {
      const found = parameters.find((parameter) => parameter.in === 'query' && parameter.name === name);
      if (found === undefined) return [`query parameter ${name} is taken, and not documented`];
      return text({ type: 'object', properties: { value: found.schema } }, { value }).map(
        (fault) => `query parameter ${name} ${fault}`,
      );
    });
    for (const [, name] of path.matchAll(/\{(\w+)\}/g))
      if (!parameters.some((parameter) => parameter.in === 'path' && parameter.name === name))
        faults.push(`path parameter ${name} is not documented`);
    const { content } = object.requestBody ?? {};
    if (sent.json !== undefined) {
      const schema = content?.['application/json']?.schema;
      faults.push(...(schema === undefined ? ['its JSON is taken, and not documented'] : request(schema, sent.json)));
    }
    if (sent.form !== undefined)
      faults.push(...request(content['application/x-www-form-urlencoded'].schema, sent.form));
    return faults.map((fault) => `request: ${fault}`);
  }

  return { checkHeaders, checkBody, checkRequest };
}

/** An answer where nothing is documented: only that there is nothing. */
function checkElsewhere(at: readonly DocumentedOperation[], reply: Reply): readonly string[] {
  const methods = at.map(({ method }) => method);
  if (at.length === 0) return reply.status === 404 ? [] : [`this path is answered ${reply.status}, and not documented`];
  if (reply.status !== 405) return [`this method is answered ${reply.status}, and not documented`];
  const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).sort();
  const allow = (reply.headers.get('allow') ?? '').split(', ').sort();
  return allow.join() === allowed.join() ? [] : [`Allow says ${allow}, documented is ${allowed}`];
}

function bodyOf({ json, form, raw }: Sent): string | null {
  if (json !== undefined) return JSON.stringify(json);
  return form === undefined ? (raw ?? null) : new URLSearchParams(form).toString();
}

function typeOf({ json, form }: Sent): Readonly<Record<string, string>> {
  if (json !== undefined) return { 'content-type': 'application/json' };
  return form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
}

export async function createOpenApiContract({ url }: Pick<Keyturn, 'url'>): Promise<OpenApiContract> {
  const document: Json = await (await fetch(`${url}/openapi.json`)).json();
  const operations = documentedOperations(document);
  const { checkHeaders, checkBody, checkRequest } = createChecks(document);
  const seen = new Map<string, Set<number>>(operations.map(({ id }) => [id, new Set()]));

  function check(sent: Sent, reply: Reply): readonly string[] {
    const [path = '', query = ''] = sent.path.split('?');
    const at = operationsAt(operations, path);
    const operation = at.find(({ method }) => method === sent.method);
    if (operation === undefined) return checkElsewhere(at, reply);
    const response = follow(document, operation.object.responses[reply.status]);
    if (response === undefined) return [`${operation.id} documents ${operation.statuses.join(', ')} only`];
    seen.get(operation.id)?.add(reply.status);
    const isGood = reply.status < 300;
    const isPartial = isGood && new URLSearchParams(query).has('fields');
    return [
      ...checkHeaders(response, reply),
      ...checkBody(response, reply, isPartial),
      ...(isGood ? checkRequest(operation, sent) : []),
    ];
  }

  return {
    document,
    operations,
    check,
    seen: (operationId) => seen.get(operationId) ?? new Set(),
    async send(sent) {
      const headers = { ...typeOf(sent), ...sent.headers };
      const reply = await readReply(
        await fetch(url + sent.path, { method: sent.method, headers, body: bodyOf(sent), redirect: 'manual' }),
      );
      const faults = check(sent, reply);
      if (faults.length > 0)
        throw new Error(
          `${sent.method} ${sent.path} was answered ${reply.status} ${reply.text}\n  ${faults.join('\n  ')}`,
        );
      return reply;
    },
  };
}
