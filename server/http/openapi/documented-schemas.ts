import { z } from 'zod';
import type { Operation } from '../operation.ts';

/** An object of the document; nothing of the server reads it but to print it. */
export type Json = { readonly [name: string]: unknown };

declare module 'zod' {
  interface GlobalMeta {
    /** JSON Schema of what goes over the wire, where a transformation hides it: a number in a query is a text to zod. */
    wire?: Json;
  }
}

export interface DocumentedSchemas {
  /** `components.schemas`: those that `.meta({ id })` names. */
  readonly components: Json;
  query(operation: Operation): Json | null;
  /** Not required: nothing sent means the same as an empty object. */
  body(operation: Operation): { readonly schema: Json; readonly isRequired: boolean } | null;
  /** Null: no content. */
  answer(operation: Operation, status: string): Json | null;
}

type Io = 'input' | 'output';
type Mutable = Record<string, unknown>;

/** What zod says more, or less, than a reader of the document needs. */
function reshape(schema: Mutable, io: Io): void {
  const { wire } = schema;
  delete schema['wire'];
  if (wire !== undefined) {
    const { description } = schema;
    for (const name of Object.keys(schema)) delete schema[name];
    Object.assign(schema, { description }, wire);
  }
  // zod's pattern of a date and time is 240 characters; that answers are in UTC is what format leaves open.
  if (schema['format'] === 'date-time') {
    delete schema['pattern'];
    if (io === 'output') schema['pattern'] = 'Z$';
  }
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  // Answers may get more members: a client made from this document must not refuse them.
  if (io === 'output' && schema['additionalProperties'] === false) delete schema['additionalProperties'];
}

interface Converted {
  readonly named: Readonly<Record<string, Json>>;
  readonly byUse: Readonly<Record<string, Json>>;
}

/** As members of one object, so that zod itself finds two schemas of one name. */
function convert(schemas: Readonly<Record<string, z.ZodType>>, io: Io): Converted {
  const { properties = {}, $defs = {} } = z.toJSONSchema(z.object(schemas), {
    io,
    override: ({ jsonSchema }) => reshape(jsonSchema as Mutable, io),
  });
  return { named: $defs as Converted['named'], byUse: properties as Converted['byUse'] };
}

/** References as OpenAPI has them. @param rename of components */
function pointToComponents<T extends Json>(schema: T, rename: (name: string) => string): T {
  const text = JSON.stringify(schema);
  return JSON.parse(
    text.replaceAll(
      /"\$ref":"#\/\$defs\/([^"]+)"/g,
      (_all, name: string) => `"$ref":"#/components/schemas/${rename(name)}"`,
    ),
  );
}

/**
 * The schemas of the operations, as JSON Schema of draft 2020-12, which is what OpenAPI 3.1 speaks: as sent for queries and
 * bodies, as answered for answers.
 */
export function documentSchemas(operations: readonly Operation[]): DocumentedSchemas {
  const inputs: Record<string, z.ZodType> = {};
  const outputs: Record<string, z.ZodType> = {};
  for (const { id, query, body, answers } of operations) {
    if (query !== undefined) inputs[`${id} query`] = query;
    if (body !== undefined) inputs[`${id} body`] = body;
    for (const [status, schema] of Object.entries(answers)) if (schema !== null) outputs[`${id} ${status}`] = schema;
  }
  const input = convert(inputs, 'input');
  const output = convert(outputs, 'output');
  // What is sent and what is answered under one name need not be the same.
  const differs = (name: string): boolean =>
    Object.hasOwn(output.named, name) && JSON.stringify(output.named[name]) !== JSON.stringify(input.named[name]);
  const inputName = (name: string): string => (differs(name) ? `${name}Input` : name);
  const outputName = (name: string): string => name;
  const components = {
    ...Object.fromEntries(
      Object.entries(input.named).map(([name, schema]) => [inputName(name), pointToComponents(schema, inputName)]),
    ),
    ...pointToComponents(output.named, outputName),
  };
  const read = (from: Converted, use: string, rename: (name: string) => string): Json | null => {
    const schema = from.byUse[use];
    return schema === undefined ? null : pointToComponents(schema, rename);
  };
  return {
    components: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
    query: ({ id }) => read(input, `${id} query`, inputName),
    body({ id, body }) {
      const schema = read(input, `${id} body`, inputName);
      return schema && { schema, isRequired: body?.safeParse({}).success === false };
    },
    answer: ({ id }, status) => read(output, `${id} ${status}`, outputName),
  };
}
