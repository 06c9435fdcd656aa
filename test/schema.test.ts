import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { builtFiles } from '../schema/built.ts';
import { parseDuration, parseRate, parseSize } from '../src/core/units.ts';

const root = resolve(import.meta.dirname, '..');

interface Schema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const ajv = () => new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: true, strictTypes: false });
const committed = (file: string) => readFileSync(join(root, file), 'utf8');

describe.each([...builtFiles()])('%s', (file, built) => {
  const schema = JSON.parse(built) as Schema;

  test('is what the code says (npm run build:schema writes it)', () => {
    expect(committed(file)).toBe(built);
  });

  test('is JSON Schema 2020-12', () => {
    expect(JSON.parse(built).$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(() => ajv().compile(JSON.parse(built))).not.toThrow();
  });

  test('says of every key what it means, and what holds without it', () => {
    const silent: string[] = [];
    let keys = 0;
    const look = (node: Schema, path: string): void => {
      for (const [key, value] of Object.entries(node.properties ?? {})) {
        keys += 1;
        const place = `${path}.${key}`;
        const said = `${value.description ?? ''}${schema.$defs?.[value.$ref?.split('/').at(-1) ?? '']?.description ?? ''}`;
        // What tells alternatives apart is described with each of them.
        const isKind = value.const !== undefined || key === 'kind';
        if (said === '' && !isKind) silent.push(place);
        const optional = !node.required?.includes(key);
        if (optional && value.default === undefined && !/Without it/.test(said) && !isKind)
          silent.push(`${place} without it`);
        look(value, place);
      }
      if (node.properties && node.title === undefined) silent.push(`${path}: no title`);
      if (typeof node.additionalProperties === 'object') look(node.additionalProperties, `${path}.*`);
      if (node.items) look(node.items, `${path}.0`);
      for (const one of [...(node.anyOf ?? []), ...(node.oneOf ?? [])])
        look(one, `${path}(${one.title ?? ''})`);
      for (const [name, one] of Object.entries(node.$defs ?? {})) look(one, name);
    };
    look(schema, '');
    expect(keys).toBeGreaterThan(15);
    expect(silent).toEqual([]);
  });
});

describe('every file in config/', () => {
  const files = readdirSync(join(root, 'config')).filter((file) => file.endsWith('.yaml'));

  test.each(files)('%s names its schema for editors, and keeps it', (file) => {
    const text = committed(join('config', file));
    const name = file === 'daemon.yaml' ? 'daemon' : 'scenario';
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=../schema/${name}.json`);
    const validate = ajv().compile(JSON.parse(committed(`schema/${name}.json`)));
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });
});

describe('a quantity', () => {
  const { $defs } = JSON.parse(committed('schema/scenario.json')) as { $defs: Record<string, object> };
  const units = [
    'ns',
    'us',
    'µs',
    'ms',
    's',
    'min',
    'h',
    'B',
    'kB',
    'KiB',
    'GiB',
    'bit/s',
    'Mbit/s',
    'MiB/s',
    'm',
    'd',
    'TB',
    'Gi',
    'Gbps',
    'Mb/s',
    'h30m',
    '',
  ];
  const number = fc.oneof(
    fc.nat(2_000).map(String),
    fc.constantFrom('0', '.5e3', '12.5', '2e3', '-1', '1,5', ''),
  );
  const written = fc
    .tuple(number, fc.constantFrom('', ' '), fc.constantFrom(...units))
    .map((parts) => parts.join(''));

  test.each([
    ['Duration', parseDuration],
    ['Size', parseSize],
    ['Rate', parseRate],
  ] as const)('of the kind %s that can be read, and no other, is taken by the schema', (name, read) => {
    const validate = ajv().compile($defs[name]!);
    fc.assert(
      fc.property(written, (text) => {
        // Whether it is large enough, or too large, is for the reader to say.
        const value = Number.parseFloat(text);
        const isSmallOrLarge = value < 8 || (value > 100 && text.endsWith('d'));
        if (!isSmallOrLarge) expect([text, validate(text)]).toEqual([text, read(text) !== undefined]);
      }),
    );
  });
});
