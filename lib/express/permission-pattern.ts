import { MAX_PERMISSION_CHARACTERS, parsePermission } from '../protocol/index.ts';

/** `read:credential/:id`: a permission with route parameters in it. */
export interface PermissionPattern {
  /** The permission with the parameters of a request in their places, or null when they don't make one. */
  fill(parameters: Readonly<Record<string, unknown>>): string | null;
}

/** A segment after what stands before it, which is the action or a slash. */
interface Place {
  readonly before: string;
  readonly segment: string;
  /** Name of the route parameter that takes the place of the segment. */
  readonly parameter: string | null;
}

const PARAMETER_SEGMENT = /^:([A-Za-z_][A-Za-z0-9_]*)$/;
/** One segment without `*`: a parameter must name an entity, never widen or lengthen the path. */
const ENTITY_SEGMENT = /^[A-Za-z0-9._~-]+$/;

/** @throws {TypeError} when the text is not a permission with parameters as whole segments */
export function parsePermissionPattern(text: string): PermissionPattern {
  if (typeof text !== 'string') throw new TypeError('requirePermission needs a permission such as read:credential/:id');
  const places = parsePlaces(text);
  assertPermission(text, places.map(({ before, segment, parameter }) => before + (parameter ? 'x' : segment)).join(''));
  if (places.every(({ parameter }) => parameter === null)) return { fill: () => text };
  return {
    // On the path of every request: with the pattern a permission, and each parameter one segment, only length can be wrong.
    fill(parameters) {
      let filled = '';
      for (const { before, segment, parameter } of places) {
        const entity = parameter === null ? segment : parameters[parameter];
        if (typeof entity !== 'string' || (parameter !== null && !ENTITY_SEGMENT.test(entity))) return null;
        filled += before + entity;
      }
      return filled.length > MAX_PERMISSION_CHARACTERS ? null : filled;
    },
  };
}

function parsePlaces(text: string): readonly Place[] {
  return text.split('/').map((part, index) => {
    // The first segment follows the action, as in `read::kind`.
    const before = index === 0 ? (/^[^:]*:/.exec(part)?.[0] ?? '') : '/';
    const segment = index === 0 ? part.slice(before.length) : part;
    return { before, segment, parameter: PARAMETER_SEGMENT.exec(segment)?.[1] ?? null };
  });
}

function assertPermission(text: string, permission: string): void {
  try {
    parsePermission(permission);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new TypeError(`requirePermission: ${JSON.stringify(text)} is not a permission${reason}`, { cause });
  }
}
