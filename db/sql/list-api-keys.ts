/**
 * A page of a project's API keys, whatever the filters and the order, for about the same cost in a project of a thousand keys
 * and of a million. No index has every filter in every order, so:
 *
 * - what the index of the order answers by itself is read from it;
 * - else, when one of the filters holds for a thousand keys at most, these are looked at, all of them;
 * - else keys are looked at in the order of the list, five hundred at most: then a page may be short and have a next one.
 */
import { PermissionSet } from '@keyturn/lib/protocol';
import type { Knex } from 'knex';
import type { ApiKeyFilter, ApiKeySort } from '../../server/api-keys/api-key-store.ts';
import type { Page, PageRequest, Position } from '../../server/page.ts';
import { type FilterPart, filterParts, type SqlCondition } from './api-key-filters.ts';
import { type ApiKeyRow, effectiveOf, readRolesOfKeys } from './api-key-row.ts';
import { byIndex } from './by-index.ts';
import { type Counted, type Positioned, readInOrder, readPage } from './read-page.ts';

const COLUMNS = {
  id: 'api_keys.id',
  sorts: {
    // Ids sort by creation.
    created_at: 'api_keys.id',
    name: 'api_keys.name',
    last_used_at: 'api_keys.last_used_at_ms',
    expires_at: 'api_keys.expires_at_ms',
  } satisfies Record<ApiKeySort, string>,
  uniqueSorts: ['name'],
};

interface Walk {
  readonly index: string;
  /** The part that the index answers by itself. */
  readonly answered: keyof ApiKeyFilter | null;
}

function walkOf(sort: ApiKeySort, filter: ApiKeyFilter): Walk {
  if (sort === 'name') return { index: 'api_keys_name', answered: null };
  if (sort === 'last_used_at') return { index: 'api_keys_last_use', answered: null };
  if (sort === 'expires_at') return { index: 'api_keys_expiry', answered: 'expiresBeforeMs' };
  if (filter.ownerId !== undefined) return { index: 'api_keys_owner', answered: 'ownerId' };
  if (filter.isValid !== undefined) return { index: 'api_keys_validity', answered: 'isValid' };
  return { index: 'api_keys_list', answered: null };
}

interface List {
  readonly knex: Knex;
  readonly projectId: string;
  readonly filter: ApiKeyFilter;
  readonly request: PageRequest<ApiKeySort>;
  /** How many keys are counted at most; half as many are looked at in order. */
  readonly maxCounted: number;
}

const PAGE = { columns: COLUMNS, select: 'api_keys.*', toItem: (row: ApiKeyRow) => row };

export async function listApiKeys(asked: List): Promise<Page<ApiKeyRow>> {
  const list = { ...asked, request: withText(asked.request) };
  const { knex, projectId, filter, request, maxCounted } = list;
  const parts = filterParts(projectId, filter);
  const walk = walkOf(request.sort, filter);
  const inOrder = byIndex(knex, 'api_keys', walk.index).where({ project_id: projectId });
  for (const { name, condition } of parts) if (name === walk.answered) restrict(inOrder, condition);
  const rest = parts.filter(({ name }) => name !== walk.answered);
  if (rest.length === 0 && filter.permission === undefined)
    return readPage(knex, inOrder, { ...PAGE, request, maxCounted });

  const { few, atLeast } = await findCandidates(list, parts);
  if (few === null) return walkThrough(list, inOrder, rest, atLeast);
  const found = await narrow(list, few, parts);
  const rank = compareIn(request);
  const { after, limit } = request;
  const later = after === null ? found : found.filter((position) => rank(position, after) > 0);
  // Here and not in the database, which would have to be told all the ids again and would sort whole rows.
  const shown = later.sort(rank).slice(0, limit);
  const next = later.length > limit ? (shown.at(-1) ?? null) : null;
  return { items: await readRows(list, shown), next, totalCount: found.length, exceedsTotalCount: false };
}

/** As both databases sort: texts by code point, nothing below every value. */
function compareIn({ sort, isDescending }: PageRequest<ApiKeySort>): (one: Position, other: Position) => number {
  const compareTexts = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
  const compareValues = ({ value: one }: Position, { value: other }: Position) => {
    if (sort === 'created_at') return 0;
    if (one === null || other === null) return Number(other === null) - Number(one === null);
    return sort === 'name' ? compareTexts(String(one), String(other)) : Number(one) - Number(other);
  };
  const direction = isDescending ? -1 : 1;
  return (one, other) => direction * (compareValues(one, other) || compareTexts(one.id, other.id));
}

/** Anybody can write a cursor: a number in it would have MariaDB read every name of the project as one. */
function withText(request: PageRequest<ApiKeySort>): PageRequest<ApiKeySort> {
  const { sort, after } = request;
  return sort === 'name' && after !== null ? { ...request, after: { ...after, value: String(after.value) } } : request;
}

const restrict = (query: Knex.QueryBuilder, { sql, bindings }: SqlCondition) => query.whereRaw(sql, [...bindings]);

/** Those of the first part that holds for few; else null, and for how many at least the only part holds. */
async function findCandidates({ knex, maxCounted }: List, parts: readonly FilterPart[]) {
  let atLeast = 0;
  for (const part of parts) {
    const ids = await part.ids(knex, maxCounted + 1);
    const few = [...new Set(ids)];
    if (ids.length <= maxCounted) return { few, atLeast };
    atLeast = Math.min(few.length, maxCounted);
  }
  return { few: null, atLeast };
}

interface Examined {
  readonly id: string;
  readonly is_match: number;
  /** Only where a permission is asked for. */
  readonly permissions?: string;
}

/**
 * What to read of a key to know whether it belongs to the list. All is in the columns and nothing in a WHERE, which would make
 * both databases look for more keys than they were told to.
 */
function examination({ knex, filter }: List, conditions: readonly SqlCondition[]): (string | Knex.Raw)[] {
  const sql = conditions.map((condition) => condition.sql).join(' AND ') || '1 = 1';
  const isMatch = knex.raw(
    `(${sql}) AS is_match`,
    conditions.flatMap(({ bindings }) => bindings),
  );
  return ['api_keys.id', isMatch, ...(filter.permission === undefined ? [] : ['api_keys.permissions'])];
}

async function matching<Row extends Examined>({ knex, filter }: List, examined: readonly Row[]): Promise<Row[]> {
  const rows = examined.filter(({ is_match: isMatch }) => Number(isMatch) === 1);
  const { permission } = filter;
  if (permission === undefined) return rows;
  const roles = await readRolesOfKeys(
    knex,
    rows.map(({ id }) => id),
  );
  return rows.filter(({ id, permissions = '[]' }) =>
    PermissionSet.parse(effectiveOf(JSON.parse(permissions), roles.get(id) ?? [])).can(permission),
  );
}

/** Those that belong to the list, in no order; this is also where keys of other projects are left out. */
async function narrow(list: List, candidates: readonly string[], parts: readonly FilterPart[]): Promise<Position[]> {
  const { knex, projectId, filter, request } = list;
  if (candidates.length === 0) return [];
  const isById = request.sort === 'created_at';
  const [only, another] = parts;
  // Nothing is left to be asked of the keys themselves.
  if (isById && only?.isOfProject && another === undefined && filter.permission === undefined)
    return candidates.map((id) => ({ id, value: null }));
  const own = { sql: 'api_keys.project_id = ?', bindings: [projectId] };
  const examined: (Examined & { readonly value: Position['value'] })[] = await byIndex(knex, 'api_keys', 'PRIMARY')
    .whereIn('api_keys.id', candidates)
    .select(...examination(list, [own, ...parts.map(({ condition }) => condition)]), {
      value: COLUMNS.sorts[request.sort],
    });
  return (await matching(list, examined)).map(({ id, value }) => ({ id, value: isById ? null : value }));
}

async function walkThrough(
  list: List,
  inOrder: Knex.QueryBuilder,
  rest: readonly FilterPart[],
  atLeast: number,
): Promise<Page<ApiKeyRow>> {
  const { filter, request, maxCounted } = list;
  const select = examination(
    list,
    rest.map(({ condition }) => condition),
  );
  // Else a walk by last use would begin with, or go on to, all those that were used since.
  const below = request.sort === 'last_used_at' ? filter.unusedSinceMs : undefined;
  const found: Positioned<Examined>[] = [];
  let next: Position | null = request.after;
  // Most filters let many keys pass, and the first part will do.
  const part = Math.ceil(maxCounted / 8);
  for (const count of [part, part, 2 * part]) {
    const range = { columns: COLUMNS, request: { ...request, after: next }, select, count, below };
    const examined = await readInOrder<Examined>(inOrder, range);
    found.push(...(await matching(list, examined)));
    next = examined.length < count ? null : (examined.at(-1)?.position ?? null);
    if (next === null || found.length > request.limit) break;
  }
  const shown = found.slice(0, request.limit);
  if (found.length > request.limit) next = shown.at(-1)?.position ?? null;
  const isOnePart = rest.length === 1 && filter.permission === undefined;
  const counted: Counted = isOnePart
    ? { totalCount: atLeast, exceedsTotalCount: true }
    : { totalCount: shown.length, exceedsTotalCount: next !== null };
  return { items: await readRows(list, shown), next, ...counted };
}

async function readRows({ knex }: List, wanted: readonly { readonly id: string }[]): Promise<ApiKeyRow[]> {
  if (wanted.length === 0) return [];
  const ids = wanted.map(({ id }) => id);
  const rows: ApiKeyRow[] = await knex('api_keys').whereIn('id', ids);
  const byId = new Map(rows.map((row) => [row.id, row]));
  // One that was deleted meanwhile is left out.
  return ids.flatMap((id) => byId.get(id) ?? []);
}
