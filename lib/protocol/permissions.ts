import { quoteInput } from './quote-input.ts';

export const MAX_PERMISSION_CHARACTERS = 255;
const MAX_SEGMENTS = 8;
const ACTION = /^(?:[a-z][a-z0-9_-]*|\*)$/;
const SEGMENT = /^(?:[A-Za-z0-9._~-]+\*?|\*)$/;
const LITERAL_SEGMENT = /^[A-Za-z0-9._~-]+$/;
const STAR = 42;

const RULES = {
  too_long: `has more than ${MAX_PERMISSION_CHARACTERS} characters: shorten it`,
  colon_missing: "has no ':': write action:path, for example read:credential/prod-db",
  action_invalid: "needs an action of lower-case letters, digits, '_' and '-' that begins with a letter, or '*' alone",
  too_many_segments: `has more than ${MAX_SEGMENTS} path segments: remove some`,
  segment_empty: "has an empty path segment: write one name between two '/', and none of them at either end",
  wildcard_misplaced: "may have '*' only alone in a segment or once at its end",
  character_invalid: "may have only letters, digits, '.', '_', '~' and '-' in a path segment",
  workspace_invalid: "is no workspace: use its id or slug (letters, digits, '.', '_', '~', '-'), without '*'",
} as const;

/** Which rule of the permission grammar was broken. */
export type PermissionRule = keyof typeof RULES;

/** Text that is no permission. The message says what is wrong and how to mend it, and is safe to show and to log. */
export class InvalidPermission extends Error {
  override readonly name = 'InvalidPermission';
  /** The text, quoted and shortened to at most about 200 characters. */
  readonly permission: string;
  readonly rule: PermissionRule;

  constructor(text: string, rule: PermissionRule) {
    const quoted = quoteInput(text);
    super(`${quoted} ${RULES[rule]}`);
    this.permission = quoted;
    this.rule = rule;
  }
}

/** `action:segment/segment…`, parsed. Build it with {@link parsePermission} only: matching relies on its checks. */
export interface Permission {
  readonly text: string;
  /** A lower-case word, or `*`. */
  readonly action: string;
  /** 1 to 8; each a literal, a literal with one trailing `*`, or `*`. */
  readonly segments: readonly string[];
}

/**
 * Reads a permission: at most 8 segments and 255 characters, case-sensitive.
 * @throws {InvalidPermission} naming the first rule broken
 */
export function parsePermission(text: string): Permission {
  // Before any scan: a requirement may hold an entity id of any length, taken from a URL.
  if (text.length > MAX_PERMISSION_CHARACTERS) throw new InvalidPermission(text, 'too_long');
  const colon = text.indexOf(':');
  if (colon === -1) throw new InvalidPermission(text, 'colon_missing');
  const action = text.slice(0, colon);
  if (!ACTION.test(action)) throw new InvalidPermission(text, 'action_invalid');
  const segments = text.slice(colon + 1).split('/');
  for (const segment of segments) {
    if (!SEGMENT.test(segment)) throw new InvalidPermission(text, segmentRule(segment));
  }
  if (segments.length > MAX_SEGMENTS) throw new InvalidPermission(text, 'too_many_segments');
  return { text, action, segments };
}

function segmentRule(segment: string): PermissionRule {
  if (segment === '') return 'segment_empty';
  return LITERAL_SEGMENT.test(segment.replaceAll('*', '')) || /^\*+$/.test(segment)
    ? 'wildcard_misplaced'
    : 'character_invalid';
}

/** Whether a value is text that {@link parsePermission} accepts. */
export function isPermission(text: unknown): text is string {
  if (typeof text !== 'string') return false;
  try {
    parsePermission(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Does the grant cover the requirement? The requirement may itself be a pattern; then the question is whether it is an
 * equal or narrower one. A shorter grant covers everything below it.
 */
export function covers(grant: Permission, requirement: Permission): boolean {
  return coversPlaces(grant, requirement, grant.segments.length);
}

/** {@link covers}, with only the first `places` segments of the grant in play. */
export function coversPlaces(grant: Permission, requirement: Permission, places: number): boolean {
  if (grant.action !== '*' && grant.action !== requirement.action) return false;
  if (requirement.segments.length < places) return false;
  for (let place = 0; place < places; place++) {
    const wanted = requirement.segments[place] as string;
    const given = grant.segments[place] as string;
    // Else `*:*`, which an application may well give its own administrators, would administer Keyturn.
    if (place === 0 && isPattern(given) && isReserved(wanted)) return false;
    if (!segmentCovers(given, wanted)) return false;
  }
  return true;
}

/** `prod-*` covers `prod-`, `prod-db` and the pattern `prod-eu-*`; a literal covers itself alone. */
export function segmentCovers(given: string, wanted: string): boolean {
  if (!isPattern(given)) return given === wanted;
  // Character by character, not startsWith(slice): this runs per request and must not allocate. A `*` in `wanted` never
  // equals a character of the prefix, so a wider pattern fails by itself.
  const prefixLength = given.length - 1;
  if (wanted.length < prefixLength) return false;
  for (let at = 0; at < prefixLength; at++) {
    if (given.charCodeAt(at) !== wanted.charCodeAt(at)) return false;
  }
  return true;
}

/** Whether a segment of a parsed permission is `*` or ends in it. */
export function isPattern(segment: string): boolean {
  return segment.charCodeAt(segment.length - 1) === STAR;
}

/** Whether any text could stand as one segment without wildcard, for example an entity id. */
export function isLiteralSegment(text: string): boolean {
  return text.length <= MAX_PERMISSION_CHARACTERS && LITERAL_SEGMENT.test(text);
}

function isReserved(firstSegment: string): boolean {
  return firstSegment === 'keyturn' || firstSegment === 'keyturn-installation';
}

/**
 * A role's permission, placed in a workspace: `read:defect` in `1002` becomes `read:workspace/1002/defect`, and a path of
 * `*` alone becomes the workspace itself. The result never reaches outside `workspace/<workspace>`.
 * @param workspace id or slug
 * @throws {InvalidPermission} when the permission, the workspace or the longer result breaks a rule
 */
export function permissionWithin(permission: string, workspace: string): string {
  const { action, segments } = parsePermission(permission);
  // A workspace called `*` would turn a role in one workspace into a role in all.
  if (!isLiteralSegment(workspace)) throw new InvalidPermission(workspace, 'workspace_invalid');
  const below = segments.length === 1 && segments[0] === '*' ? [] : segments;
  return parsePermission(`${action}:${['workspace', workspace, ...below].join('/')}`).text;
}
