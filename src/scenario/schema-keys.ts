import type { z } from 'zod';
import { nearestWord } from '../platform/meant.ts';

type Schema = z.core.$ZodType;
type Path = readonly PropertyKey[];

/** Deeper than any key of a scenario lies. */
const DEEPEST = 8;

/**
 * What somebody meant by a key that does not belong where it was written: the nearest one that does; or where a key of that name
 * lies, as a path from the top; or a path that was written as one key. undefined: nobody can tell.
 */
export function meantKey(schema: Schema, within: Path, key: string): string | undefined {
  const siblings = objectsAt(schema, within).flatMap((object) => Object.keys(shapeOf(object)));
  const near = nearestWord(key, siblings);
  if (near !== undefined) return near;
  const paths = pathsOf(schema);
  const nested = asNested(paths, key);
  if (nested !== undefined) return nested;
  const elsewhere = pathsTo(paths, key);
  if (elsewhere.length > 0) return elsewhere.join(' or ');
  const nearest = nearestWord(key, new Set(paths.map((path) => path.at(-1)!)));
  return nearest === undefined ? undefined : pathsTo(paths, nearest).join(' or ');
}

/** Whether a key lies there. @param path with points between its keys */
export function isPathOf(schema: Schema, path: string): boolean {
  return pathsOf(schema).some((keys) => keys.join('.') === path);
}

/** `link.rate` is a path in the schema: it is written as `link: { rate: … }`. */
function asNested(paths: readonly (readonly string[])[], key: string): string | undefined {
  if (!key.includes('.') || !paths.some((path) => path.join('.') === key)) return undefined;
  const parts = key.split('.');
  return `${parts.join(': { ')}: … ${'}'.repeat(parts.length - 1)}`;
}

/** Where keys of this name lie, the nearest to the top. */
function pathsTo(paths: readonly (readonly string[])[], key: string): readonly string[] {
  const found = paths.filter((path) => path.at(-1)!.toLowerCase() === key.toLowerCase());
  const least = Math.min(...found.map(({ length }) => length));
  return [...new Set(found.filter(({ length }) => length === least).map((path) => path.join('.')))].slice(
    0,
    3,
  );
}

/** The paths of all keys that a schema knows, in its order; of alternatives those of all. */
function pathsOf(schema: Schema, depth = 0): readonly (readonly string[])[] {
  if (depth > DEEPEST) return [];
  return objectsOf(schema).flatMap((object) =>
    Object.entries(shapeOf(object)).flatMap(([key, inner]) => [
      [key],
      ...pathsOf(inner, depth + 1).map((path) => [key, ...path]),
    ]),
  );
}

/** What may stand at a path and has keys. */
function objectsAt(schema: Schema, path: Path): readonly z.core.$ZodObject[] {
  let schemas: readonly Schema[] = [schema];
  for (const key of path) schemas = schemas.flatMap((one) => valuesAt(one, key));
  return schemas.flatMap(objectsOf);
}

/** What may stand at a key of something, or in a list at a place. */
function valuesAt(schema: Schema, key: PropertyKey): readonly Schema[] {
  return alternativesOf(schema).flatMap((one) => {
    const { def } = one._zod as z.core.$ZodTypeInternals & { readonly def: z.core.$ZodTypeDef };
    if (def.type === 'object') {
      const inner = shapeOf(one as z.core.$ZodObject)[String(key)];
      return inner === undefined ? [] : [inner];
    }
    if (def.type === 'array') return [(def as z.core.$ZodArrayDef).element];
    if (def.type === 'record') return [(def as z.core.$ZodRecordDef).valueType];
    return [];
  });
}

function objectsOf(schema: Schema): readonly z.core.$ZodObject[] {
  return alternativesOf(schema).filter((one): one is z.core.$ZodObject => one._zod.def.type === 'object');
}

function shapeOf(object: z.core.$ZodObject): Readonly<Record<string, Schema>> {
  return object._zod.def.shape;
}

/** Schemas that are made when they are first asked, and whose keys nobody sees in them. */
const made = new WeakMap<Schema, () => Schema>();

/** @param keys another schema, in which the keys are */
export function withKeysOf<Known extends Schema>(schema: Known, keys: () => Schema): Known {
  made.set(schema, keys);
  return schema;
}

/** What a schema comes to without what makes it optional, gives it a default, or transforms it: one, or those of a union. */
function alternativesOf(schema: Schema): readonly Schema[] {
  const keys = made.get(schema);
  if (keys) return alternativesOf(keys());
  const { def } = schema._zod;
  if (def.type === 'union') return (def as z.core.$ZodUnionDef).options.flatMap(alternativesOf);
  if (def.type === 'pipe') return alternativesOf((def as z.core.$ZodPipeDef).in);
  return 'innerType' in def ? alternativesOf(def.innerType as Schema) : [schema];
}
