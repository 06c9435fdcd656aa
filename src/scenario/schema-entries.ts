import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../platform/package.ts';

/** What a JSON Schema says of a value, as far as it is shown here. */
interface Described {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Described[];
  readonly oneOf?: readonly Described[];
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Described | boolean;
}

/** A key of a scenario, or one of the kinds of what stands at it. */
export interface Entry {
  /** From the top, with points between keys; `[]`: in a list. */
  readonly path: string;
  readonly meaning: string;
  readonly isNeeded: boolean;
  /** As it is written; undefined: there is none. */
  readonly fallback: string | undefined;
  /** What may stand there, in words; empty where it has keys of its own. */
  readonly value: string;
}

type Schema = Described & { readonly $defs: Readonly<Record<string, Described>> };

/** Every key that a scenario may have, in the schema's order, those within it after it. */
export function scenarioEntries(): readonly Entry[] {
  const schema = JSON.parse(readFileSync(join(packageFolder, 'schema/scenario.json'), 'utf8')) as Schema;
  return entriesOf(schema, '', schema.$defs);
}

function entriesOf(within: Described, path: string, defs: Schema['$defs']): readonly Entry[] {
  return alternatives(within, defs).flatMap((one) => [
    ...Object.entries(one.properties ?? {}).flatMap(([key, inner]) => {
      const innerPath = path === '' ? key : `${path}.${key}`;
      const isKind = inner.const !== undefined;
      const entry = {
        path: innerPath,
        meaning: inner.description ?? resolved(inner, defs).description ?? '',
        isNeeded: one.required?.includes(key) === true && inner.default === undefined,
        fallback: inner.default === undefined ? undefined : JSON.stringify(inner.default).replaceAll('"', ''),
        value: isKind ? String(inner.const) : wordsOf(inner, defs),
      };
      return [entry, ...entriesOf(inner, innerPath, defs)];
    }),
    ...(one.items ? entriesOf(one.items, `${path}[]`, defs) : []),
  ]);
}

function resolved(one: Described, defs: Schema['$defs']): Described {
  return one.$ref === undefined ? one : defs[one.$ref.split('/').at(-1)!]!;
}

/** What may stand there, each without references. */
function alternatives(one: Described, defs: Schema['$defs']): readonly Described[] {
  const whole = resolved(one, defs);
  const several = whole.oneOf ?? whole.anyOf;
  return several ? several.flatMap((each) => alternatives(each, defs)) : [whole];
}

function wordsOf(one: Described, defs: Schema['$defs']): string {
  return [...new Set(alternatives(one, defs).flatMap(wordsFor))].join(' | ');
}

function wordsFor({ const: only, enum: choices, examples, type, properties, items, ...bounds }: Described) {
  if (only !== undefined) return [String(only)];
  if (choices) return choices.map(String);
  if (examples) return [`such as ${examples[0]}`];
  if (properties) return [];
  if (items) return ['a list'];
  if (type === 'integer' || type === 'number')
    return [`${type === 'integer' ? 'a whole number' : 'a number'}${range(bounds)}`];
  if (type === 'boolean') return ['true', 'false'];
  return type === 'string' ? ['a text'] : [];
}

/** Numbers that a double just holds are no bound that anybody reaches. */
function range({ minimum, exclusiveMinimum, maximum }: Described): string {
  const above = exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`;
  const from = minimum === undefined ? above : ` from ${minimum}`;
  return maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? from : `${from} to ${maximum}`;
}
