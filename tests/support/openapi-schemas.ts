import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a document whose faults are what is looked for
export type Json = any;

const COMPONENT = '#/components/schemas/';
const addFormats = formatsPlugin as unknown as (ajv: Ajv2020) => void;

/** How strictly a schema is read. */
interface Reading {
  /** Members that it does not name are faults: the document lets answers grow, the tests don't unless it says so first. */
  readonly isClosed: boolean;
  /** Members may be missing: what `fields` does to an answer. */
  readonly isPartial: boolean;
  /** Values come as text: those of a query and of headers. */
  readonly isText: boolean;
}

function adapt(schema: Json, reading: Reading): Json {
  if (Array.isArray(schema)) return schema.map((item) => adapt(item, reading));
  if (schema === null || typeof schema !== 'object') return schema;
  const adapted: Json = {};
  for (const [name, value] of Object.entries<Json>(schema)) {
    if (name === '$ref') adapted.$ref = value.replace(COMPONENT, 'keyturn:');
    else if (name === 'properties')
      adapted.properties = Object.fromEntries(
        Object.entries(value).map(([member, of]) => [member, adapt(of, reading)]),
      );
    else if (name === 'required' && reading.isPartial) continue;
    // Said for people and for the makers of clients; what they hold is not schemas.
    else if (!['discriminator', 'example', 'examples', 'default', 'const', 'enum'].includes(name))
      adapted[name] = adapt(value, reading);
    else if (name === 'const' || name === 'enum') adapted[name] = value;
  }
  if (adapted.properties !== undefined) {
    adapted.type ??= 'object';
    if (reading.isClosed && adapted.additionalProperties === undefined) adapted.unevaluatedProperties ??= false;
  }
  return adapted;
}

/** What is wrong with the value, each fault as a text; empty: nothing. */
export type CheckValue = (schema: Json, value: unknown) => readonly string[];

/** Checks values against schemas of the document, in Ajv's strict mode: a keyword that it does not know is a fault too. */
export function createSchemaCheck(document: Json, reading: Reading): CheckValue {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    coerceTypes: reading.isText,
  });
  addFormats(ajv);
  for (const [name, schema] of Object.entries(document.components.schemas))
    ajv.addSchema({ ...adapt(schema, reading), $id: `keyturn:${name}` });
  const compiled = new WeakMap<object, ValidateFunction>();
  return (schema, value) => {
    let validate = compiled.get(schema);
    if (validate === undefined) {
      validate = ajv.compile(adapt(schema, reading));
      compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      `${instancePath || 'the whole'} ${message} ${JSON.stringify(params)}`.trim(),
    );
  };
}
