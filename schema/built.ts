import type { z } from 'zod';
import { configurationSchema } from '../src/daemon/configuration-schema.ts';
import { jsonSchemaOf } from '../src/scenario/json-schema.ts';
import { scenarioFileSchema } from './scenario-file-schema.ts';

/** JSON Schema of the files that people write, for their editors. */
const documents: Readonly<Record<string, z.ZodType>> = {
  'schema/scenario.json': scenarioFileSchema,
  'schema/daemon.json': configurationSchema,
};

/** Each file with what is to be in it. */
export function builtFiles(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(documents).map(([path, schema]) => [
      path,
      `${JSON.stringify(jsonSchemaOf(schema), undefined, 2)}\n`,
    ]),
  );
}
