import { Command } from 'commander';
import { z } from 'zod';
import { orderByProbability } from '../core/migration/order/known-probabilities.ts';
import { type OrderName, orderRegistry } from '../core/migration/order/orders.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';

interface Options {
  readonly rule: string;
  readonly json?: string;
  readonly seed: string;
}

/** `switchover order FILE --rule R`: the order of pages whose write probabilities in one slot are known. */
export function orderCommand(exit: (code: number) => void): Command {
  return new Command('order')
    .description(
      'compute in which order to send pages whose write probabilities are known, and how far at most that is from the best order',
    )
    .argument('<file>', 'JSON: {"probabilities": […]}, of a write to each page while one page is sent')
    .option('--rule <name>', 'how to order the pages', 'threshold')
    .option('--seed <n>', 'random seed that breaks ties', '1')
    .option('--json <->', 'print JSON instead of text; the value is -')
    .addHelpText('after', () => {
      const lines = orderRegistry.all.map(({ name, describe }) => `  ${name.padEnd(10)}  ${describe}`);
      return `\nPage orders:\n${lines.join('\n')}`;
    })
    .action((file: string, options: Options) => exit(action(file, options)));
}

function action(file: string, { rule, json, seed }: Options): number {
  insistOnOrder(rule);
  const probabilities = readProbabilities(file);
  let result: ReturnType<typeof orderByProbability>;
  try {
    result = orderByProbability(rule, probabilities, Number(seed));
  } catch (cause) {
    if (cause instanceof RangeError) throw new Failure(cause.message);
    throw cause;
  }
  const { expectedDirtyPages, excessAtMost } = result;
  const order = [...result.order];
  if (json === undefined) {
    console.log(`order                 ${order.slice(0, 20).join(' ')}${order.length > 20 ? ' …' : ''}`);
    console.log(`expected dirty pages  ${expectedDirtyPages.toPrecision(6)} of ${order.length}`);
    console.log(`more than the best    at most ${excessAtMost.toPrecision(2)} pages`);
  } else {
    console.log(JSON.stringify({ order, expectedDirtyPages, excessAtMost }));
  }
  return 0;
}

function insistOnOrder(name: string): asserts name is OrderName {
  const { names } = orderRegistry;
  if (names.includes(name)) return;
  throw new UsageError([
    { path: '--rule', expected: `a page order: ${names.join(', ')}`, found: shown(name) },
  ]);
}

const schema = z.strictObject(
  {
    probabilities: z
      .array(
        z
          .number('a probability from 0 to 1')
          .min(0, 'a probability from 0 to 1')
          .max(1, 'a probability from 0 to 1'),
        'a list of probabilities',
      )
      .min(1, 'at least one probability'),
  },
  '{"probabilities": […]}',
);

function readProbabilities(file: string): Float64Array {
  const text = readText(file);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new UsageError([{ path: file, expected: 'JSON', found: reasonOf(cause) }]);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return Float64Array.from(parsed.data.probabilities);
  throw new UsageError(
    parsed.error.issues.map((issue) => ({
      path: [file, ...issue.path].join('.'),
      expected: issue.message,
      found: shown(issue.path.reduce<unknown>((node, key) => (node as never)?.[key], document)),
    })),
  );
}
