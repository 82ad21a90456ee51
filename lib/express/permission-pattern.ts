import { InvalidPermission, parsePermission } from '../protocol/index.ts';

/** `read:credential/:id`: a permission with route parameters in it. */
export interface PermissionPattern {
  /** The permission with the parameters of a request in their places, or null when they don't make one. */
  fill(parameters: Readonly<Record<string, unknown>>): string | null;
}

const PARAMETER_SEGMENT = /^:([A-Za-z_][A-Za-z0-9_]*)$/;
/** One segment without `*`: a parameter must name an entity, never widen or lengthen the path. */
const ENTITY_SEGMENT = /^[A-Za-z0-9._~-]+$/;

/** @throws {TypeError} when the text is not a permission with parameters as whole segments */
export function parsePermissionPattern(text: string): PermissionPattern {
  if (typeof text !== 'string') throw new TypeError('requirePermission needs a permission such as read:credential/:id');
  const segments = text.split('/');
  // The first segment follows the action, as in `read::kind`.
  const [, action = '', first = ''] = /^([^:]*:)?(.*)$/s.exec(segments[0] ?? '') ?? [];
  const places = [first, ...segments.slice(1)];
  assertPermission(text, action + places.map((place) => (PARAMETER_SEGMENT.test(place) ? 'x' : place)).join('/'));
  if (!places.some((place) => PARAMETER_SEGMENT.test(place))) return { fill: () => text };
  return {
    fill(parameters) {
      const filled: string[] = [];
      for (const place of places) {
        const name = PARAMETER_SEGMENT.exec(place)?.[1];
        const segment = name === undefined ? place : parameters[name];
        if (typeof segment !== 'string' || (name !== undefined && !ENTITY_SEGMENT.test(segment))) return null;
        filled.push(segment);
      }
      return permissionOrNull(action + filled.join('/'));
    },
  };
}

function assertPermission(text: string, permission: string): void {
  try {
    parsePermission(permission);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new TypeError(`requirePermission: ${JSON.stringify(text)} is not a permission${reason}`, { cause });
  }
}

/** Null for what has become too long. */
function permissionOrNull(text: string): string | null {
  try {
    return parsePermission(text).text;
  } catch (error) {
    if (error instanceof InvalidPermission) return null;
    throw error;
  }
}
