/** The JSON Schema of a config file, for editors. It knows the shape of a config; the rules between keys it does not. */
import * as z from 'zod';
import { TABLE_OF, taskShape } from './keys.ts';
import { EDITOR } from './kinds.ts';

type Json = Record<string, unknown>;

export function configSchema(): Json {
  const schema = schemaOf(taskShape);
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Config of gsup', ...schema };
}

function schemaOf(kind: z.ZodType): Json {
  const { $schema, ...schema } = z.toJSONSchema(kind, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => describe(zodSchema as unknown as z.ZodType, jsonSchema as Json),
  });
  return schema;
}

function describe(kind: z.ZodType, schema: Json): void {
  const editor = EDITOR.get(kind);
  Object.assign(schema, editor?.json);
  if (editor?.parts !== undefined) schema.anyOf = editor.parts.map(schemaOf);
  const table = TABLE_OF.get(kind);
  if (table === undefined) return;
  schema.patternProperties = { '^x-': {} };
  const properties = schema.properties as Record<string, Json>;
  for (const [name, { help, default: text }] of Object.entries(table)) {
    properties[name] = {
      ...properties[name],
      description: help,
      ...(text !== undefined && { default: typed(text) }),
    };
  }
}

/** A default as an editor would insert it. */
function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}
