/** `query="(role={id=1007};workspace={id=1002})"`, the part of ALM Octane's query language that its page prints. */
import { z } from 'zod';

const MAX_LENGTH = 300;
const QUERY = /^"\((\w+=\{id=[\w~-]+\}(?:;\w+=\{id=[\w~-]+\})*)\)"$/;
const CONDITION = /(\w+)=\{id=([\w~-]+)\}/g;

/**
 * The ids or slugs asked for, by the name that they are asked for under.
 *
 * @param names what can be asked for, each once
 */
export function conditionsParameter<Name extends string>(names: readonly Name[]) {
  const rule = `must have the form "(${names.map((name) => `${name}={id=VALUE}`).join(';')})", quotes included, each condition at most once`;
  return z
    .string()
    .max(MAX_LENGTH, rule)
    .transform((text, context) => parseConditions(text, names) ?? refuse(context, rule))
    .optional()
    .meta({ description: `\`"(${names[0]}={id=VALUE})"\`, quotes included; VALUE is an id or a slug` });
}

type Conditions<Name extends string> = Readonly<Partial<Record<Name, string>>>;

/** Null for what is not understood. */
function parseConditions<Name extends string>(text: string, names: readonly Name[]): Conditions<Name> | null {
  const list = QUERY.exec(text)?.[1];
  if (list === undefined) return null;
  const conditions = [...list.matchAll(CONDITION)].map(([, name, value]) => [name, value] as const);
  const asked = new Set(conditions.map(([name]) => name));
  const isKnown = [...asked].every((name) => (names as readonly (string | undefined)[]).includes(name));
  if (!isKnown || asked.size < conditions.length) return null;
  return Object.fromEntries(conditions) as Conditions<Name>;
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
