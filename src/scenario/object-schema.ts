import { z } from 'zod';

/**
 * An object with these keys and no others.
 * @param title what it is called where an editor or the API's description shows it
 * @param expected completes the sentence "expected …"
 */
export function object<const Shape extends z.ZodRawShape>(
  title: string,
  description: string | undefined,
  expected: string | undefined,
  shape: Shape,
) {
  return z.strictObject(shape, expected).meta({ title, ...(description !== undefined && { description }) });
}

/** The same as a definition of its own, to which others refer by its title without spaces. */
export function definition<const Shape extends z.ZodRawShape>(
  title: string,
  description: string,
  expected: string | undefined,
  shape: Shape,
) {
  const id = title.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  return object(title, description, expected, shape).meta({ id });
}

/** Of an object, one of two keys that say the same in other words: exactly one; or none of them, if it need not be said. */
export function oneOfTwo<Schema extends z.ZodType>(
  schema: Schema,
  [one, other]: readonly [string, string],
  needed: 'needed' | 'optional' = 'needed',
) {
  const given = (input: unknown) =>
    [one, other].filter((key) => (input as Record<string, unknown>)[key] !== undefined).length;
  return schema.refine((value) => given(value) === 1 || (given(value) === 0 && needed === 'optional'), {
    path: [one],
    error: ({ input }) => `${one} or ${other}${given(input) === 2 ? ', not both' : ''}`,
    // Told together with all else that is wrong.
    when: ({ value }) => typeof value === 'object' && value !== null,
  });
}

/** One of several kinds of something. */
export function kind<const Name extends string, const Shape extends z.ZodRawShape>(
  name: Name,
  description: string,
  shape: Shape,
) {
  return object(name, description, undefined, { kind: z.literal(name), ...shape });
}

type Kinds = readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]];

/** Any of these kinds. @param what they are one of, with its article */
export function anyKind<const Options extends Kinds>(what: string, options: Options) {
  const names = options.flatMap((option) => [...(option._zod.propValues?.kind ?? [])]);
  return z.discriminatedUnion('kind', options, `${what}: { kind: ${names.join(' | ')}, … }`);
}
