import { GrantIndex } from './grant-index.ts';
import type { Permission } from './permissions.ts';
import { coversPlaces, isLiteralSegment, parsePermission, segmentCovers } from './permissions.ts';
import { RecentMap } from './recent-map.ts';

/** Which entities directly below a resource its holder may see: the answer to "what may this caller list?". */
export interface EntityFilter {
  /** Every entity; `patterns` is then empty. */
  readonly all: boolean;
  /** Entity ids and prefix globs (`prod-db`, `prod-*`, `*`), without duplicates. */
  readonly patterns: readonly string[];
  /** Safe for any string: what cannot be a segment of a permission is included only when `all`. */
  includes(entityId: string): boolean;
}

/** A set of granted permissions, compiled once and asked often. The empty set allows nothing. */
export class PermissionSet {
  /** As given, without duplicates, in the order given. */
  readonly permissions: readonly string[];
  readonly #grants: readonly Permission[];
  readonly #texts: ReadonlySet<string>;
  /** Made when first needed: what is asked is mostly written as it was granted. */
  #index: GrantIndex | null = null;

  private constructor(grants: Iterable<Permission>) {
    const unique = new Map<string, Permission>();
    for (const grant of grants) unique.set(grant.text, grant);
    this.#grants = [...unique.values()];
    this.permissions = Object.freeze([...unique.keys()]);
    this.#texts = new Set(this.permissions);
  }

  /** @throws {InvalidPermission} for the first member that is no permission */
  static parse(permissions: Iterable<string>): PermissionSet {
    return new PermissionSet(Array.from(permissions, parsePermission));
  }

  /**
   * Is the requirement, a permission or a pattern of them, covered by one of the grants?
   * @throws {InvalidPermission} for a malformed requirement: a mistake of the caller, or an entity id that cannot be
   * part of a permission; never read it as an allowance
   */
  can(requirement: string): boolean {
    // Covering is reflexive, and a grant's text is valid: the commonest question needs no parsing.
    return this.#texts.has(requirement) || this.#covers(parseRequirement(requirement));
  }

  /**
   * Those that no grant covers, in their order.
   * @throws {InvalidPermission} for a malformed one
   */
  uncovered(permissions: Iterable<string>): string[] {
    return Array.from(permissions).filter((permission) => !this.can(permission));
  }

  /**
   * The entities directly below the requirement that may be seen: `narrow('read:credential')` of a set with
   * `read:credential/prod-*` includes `prod-db`. Agrees with {@link can} of `requirement/entityId`.
   * @throws {InvalidPermission} for a malformed requirement
   */
  narrow(requirement: string): EntityFilter {
    if (this.can(requirement)) return { all: true, patterns: [], includes: () => true };
    const wanted = parseRequirement(requirement);
    const places = wanted.segments.length;
    const patterns = new Set<string>();
    for (const grant of this.#grants) {
      const last = grant.segments[places];
      if (last === undefined || grant.segments.length !== places + 1) continue;
      if (coversPlaces(grant, wanted, places)) patterns.add(last);
    }
    return entityFilter([...patterns]);
  }

  /**
   * The members of each set that the other covers. What two overlapping patterns share without either being the
   * narrower (`read:a/*\/c` and `read:a/b`) is left out: less than the true intersection, never more.
   */
  intersect(other: PermissionSet): PermissionSet {
    return new PermissionSet([
      ...this.#grants.filter((grant) => other.#covers(grant)),
      ...other.#grants.filter((grant) => this.#covers(grant)),
    ]);
  }

  #covers(requirement: Permission): boolean {
    this.#index ??= new GrantIndex(this.#grants);
    return this.#index.covers(requirement);
  }
}

function entityFilter(patterns: readonly string[]): EntityFilter {
  return {
    all: false,
    patterns,
    includes: (entityId) => isLiteralSegment(entityId) && patterns.some((pattern) => segmentCovers(pattern, entityId)),
  };
}

/**
 * A service asks the same few requirements on every request. Bounded: entity ids come from callers, who could otherwise
 * fill memory. Only well-formed ones (at most 255 characters) are remembered.
 */
const rememberedRequirements = new RecentMap<Permission>({ maxEntries: 1000 });

function parseRequirement(text: string): Permission {
  const remembered = rememberedRequirements.get(text);
  if (remembered !== undefined) return remembered;
  const parsed = parsePermission(text);
  rememberedRequirements.add(text, parsed);
  return parsed;
}
