/** Shapes that projects, workspaces, roles and members share on the wire. */
import { z } from 'zod';
import { isSlug, SLUG_MAX_LENGTH, slugFrom } from '../access-control/slug.ts';
import { description, name } from './api-key-schemas.ts';
import { fieldsParameter } from './list-query.ts';
import { invalidField } from './refusals.ts';

const SLUG_RULE = `must have 1 to ${SLUG_MAX_LENGTH} lower-case letters and digits, with single hyphens between them`;

const slug = z
  .string()
  .max(SLUG_MAX_LENGTH, SLUG_RULE)
  .refine(isSlug, SLUG_RULE)
  .optional()
  .meta({ description: 'Stands for the id in paths, never changes. Default: from the name' });

/** What can be set at creation and edited afterwards. */
export const namedSettings = { name, description };
/** What can be set at creation. */
export const newNamed = { name, slug, description: description.default(null) };

export const oneQuery = z.strictObject({ fields: fieldsParameter });
export const sorts = ['created_at', 'name'] as const;
export const time = z.iso.datetime();
export const toTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** @throws {Problem} validation_failed for a name that gives no slug */
export function slugOrFrom(body: { readonly slug?: string | undefined; readonly name: string }): string {
  const chosen = body.slug ?? slugFrom(body.name);
  if (chosen === null) throw invalidField('slug', 'is missing; the name has no Latin letter or digit to make one of');
  return chosen;
}

export const hasField = (fields: object): boolean => Object.values(fields).some((value) => value !== undefined);
export const FIELD_RULE = 'must have at least one field';

/** Only what was sent: an absent field stays as it is. */
export function sentFields<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const sent = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
