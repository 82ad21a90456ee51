/** Makes an operation answer with every status that it documents. */
import type { DocumentedOperation, Sent } from './openapi-contract.ts';
import { ABSENT_ID, bearer, type Call, type World } from './openapi-world.ts';

type MakeCall = (world: World) => Promise<Call> | Call;

/** What can't be told from the document alone. */
export interface WalkRow {
  /** A call that succeeds; refused first in every way that does not depend on what it does. Default: nothing to say. */
  readonly success?: MakeCall;
  /** Calls for the statuses that do not follow from the kind of operation, such as 409. */
  readonly others?: Readonly<Record<number, MakeCall>>;
  /** Whether `others` need what the success has left behind. */
  readonly isSuccessFirst?: boolean;
  /** Further calls that succeed, such as those with filters. */
  readonly also?: readonly MakeCall[];
}

/**
 * 429 takes a flood of chosen secrets, 500 and 503 a fault of Keyturn's own or of its stores: shown where a row says how, and
 * on one operation of each kind by tests/http/openapi-faults.test.ts.
 */
const SHOWN_ELSEWHERE = [429, 500, 503];

const isDone = (status: number): boolean => status < 300;

/** With something fresh for each parameter of the path that the row does not name. */
async function makeCall(operation: DocumentedOperation, make: MakeCall | undefined, world: World): Promise<Call> {
  const call = (await make?.(world)) ?? {};
  const params: Record<string, string> = { ...call.params };
  for (const [, name = ''] of operation.path.matchAll(/\{(\w+)\}/g)) params[name] ??= await world.fresh(name);
  return { ...call, params };
}

function toSent(operation: DocumentedOperation, { query, params, ...call }: Call, world: World): Sent {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(params?.[name] ?? ''),
  );
  const isToken = operation.object.security.some((scheme: object) => 'accessToken' in scheme);
  const isAnother = call.headers?.['authorization'] !== undefined || call.headers?.['cookie'] !== undefined;
  return {
    ...call,
    method: operation.method,
    path: query === undefined ? path : `${path}?${query}`,
    headers: { ...(isToken && !isAnother && bearer(world.administrator)), ...call.headers },
  };
}

/** An id of nothing, in place of the last thing that the path names. */
function withoutLast(operation: DocumentedOperation, call: Call): Call {
  const last = [...operation.path.matchAll(/\{(\w+)\}/g)].at(-1)?.[1] ?? '';
  return { ...call, params: { ...call.params, [last]: `${last.slice(0, 3)}_${ABSENT_ID}` } };
}

const withoutBody = ({ json: _json, form: _form, ...call }: Call): Call => call;

/** How to be refused in ways that do not depend on what the operation does. */
const DERIVED: Readonly<Record<number, (operation: DocumentedOperation, call: Call, world: World) => Call>> = {
  400: (_operation, call) => ({ ...call, query: 'no_such_parameter=1' }),
  401: (_operation, call) => ({ ...call, headers: { authorization: 'Bearer of-nothing' } }),
  // In the default project: of another one, the powerless key learns nothing.
  403: (_operation, call, world) => ({
    ...call,
    params: { ...call.params, project: 'default' },
    headers: bearer(world.powerless),
  }),
  404: withoutLast,
  412: (_operation, call) => ({ ...call, headers: { ...call.headers, 'if-match': '"v999999"' } }),
  413: (_operation, call) => ({
    ...withoutBody(call),
    headers: { ...call.headers, 'content-type': 'application/json' },
    raw: JSON.stringify({ name: 'x'.repeat(70_000) }),
  }),
  415: (_operation, call) => ({
    ...withoutBody(call),
    headers: { ...call.headers, 'content-type': 'text/plain' },
    raw: 'name=x',
  }),
};

/**
 * Sends what each documented status takes; the contract checks each answer.
 *
 * @returns the statuses that did not come, each with what came instead
 */
export async function walk(operation: DocumentedOperation, row: WalkRow, world: World): Promise<readonly string[]> {
  const missed: string[] = [];
  const success = await makeCall(operation, row.success, world);

  async function callFor(status: number): Promise<Call> {
    const other = row.others?.[status];
    if (other !== undefined) return makeCall(operation, other, world);
    if (isDone(status)) return success;
    const derive = DERIVED[status];
    if (derive !== undefined) return derive(operation, success, world);
    throw new Error(`${operation.id} documents ${status}: its row must say under others how it comes`);
  }

  async function expectStatus(call: Call, isExpected: (status: number) => boolean, expected: string): Promise<void> {
    const sent = toSent(operation, call, world);
    const { status, text } = await world.contract.send(sent);
    if (!isExpected(status)) missed.push(`${expected}: ${sent.method} ${sent.path} was answered ${status} ${text}`);
  }

  // Refusals first: a success may take away what they are about.
  const rank = (status: number): number => (isDone(status) === (row.isSuccessFirst ?? false) ? 0 : 1);
  for (const status of [...operation.statuses].sort((a, b) => rank(a) - rank(b))) {
    if (SHOWN_ELSEWHERE.includes(status) && row.others?.[status] === undefined) continue;
    await expectStatus(await callFor(status), (answered) => answered === status, String(status));
  }
  for (const make of row.also ?? []) await expectStatus(await makeCall(operation, make, world), isDone, 'success');
  return missed;
}
