import { z } from 'zod';

/** JSON Schema 2020-12 of what may be written, its `$defs` by name. Keys that are refused are not among it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema: { properties = {} } }) {
      for (const [key, value] of Object.entries(properties)) {
        if (typeof value === 'object' && value.not) delete properties[key];
      }
    },
  });
}
