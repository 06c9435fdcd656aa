import { z } from 'zod';

/**
 * JSON Schema 2020-12 of what may be written, with `$defs` for what has a name. Keys that are always refused are left
 * out, and the key that tells alternatives apart has the description of its alternative.
 */
export function jsonSchemaOf(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema: { properties = {}, description } }) {
      for (const [key, value] of Object.entries(properties)) {
        if (typeof value !== 'object') continue;
        if (value.not) delete properties[key];
        if (value.const !== undefined && description !== undefined) value.description ??= description;
      }
    },
  });
}
