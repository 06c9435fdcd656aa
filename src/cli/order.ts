import type { Command } from 'commander';
import { z } from 'zod';
import { orderByProbability } from '../core/migration/order/known-probabilities.ts';
import { type OrderName, orderRegistry } from '../core/migration/order/orders.ts';
import { Failure } from '../platform/failure.ts';
import { usageError } from '../platform/problem.ts';
import { checked } from '../scenario/checked.ts';
import { readYaml } from '../scenario/yaml-file.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { whole } from './scenario-options.ts';
import { print } from './standard-streams.ts';

interface Options extends OutputOptions {
  readonly rule: string;
  readonly seed: string;
}

/** The rest is shown with --wide, and is in the JSON. */
const SHOWN_PAGES = 20;

/** `switchover order FILE --rule R`: the order of pages whose write probabilities in one slot are known. */
export function orderCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<file>',
      'JSON or YAML: {"probabilities": […]}, for each page the probability of a write to it while one page is sent',
    )
    .option('--rule <name>', 'how to order the pages', 'threshold')
    .option('--seed <n>', 'random seed that breaks ties', '1')
    .addOption(jsonOption())
    .addOption(wideOption())
    .addHelpText('after', () => {
      const lines = orderRegistry.all.map(({ name, describe }) => `  ${name.padEnd(10)}  ${describe}`);
      return `\nPage orders:\n${lines.join('\n')}`;
    })
    .action((file: string, options: Options) => exit(action(file, options)));
}

function action(file: string, options: Options): number {
  const { rule, json, seed } = options;
  insistOnOrder(rule);
  const probabilities = readProbabilities(file);
  let result: ReturnType<typeof orderByProbability>;
  try {
    result = orderByProbability(rule, probabilities, whole('--seed', seed));
  } catch (cause) {
    if (cause instanceof RangeError) throw new Failure(cause.message);
    throw cause;
  }
  const { expectedDirtyPages, excessAtMost } = result;
  const order = [...result.order];
  if (writeJson(json, () => ({ order, expectedDirtyPages, excessAtMost }))) {
    const shown = options.wide ? order : order.slice(0, SHOWN_PAGES);
    const lines = [
      `order                 ${shown.join(' ')}${shown.length < order.length ? ' …' : ''}`,
      `expected dirty pages  ${expectedDirtyPages.toPrecision(6)} of ${order.length}`,
      `above the best order  at most ${excessAtMost.toPrecision(2)} pages`,
    ];
    print(folded(lines.join('\n'), widthOf(options)));
  }
  return 0;
}

function insistOnOrder(name: string): asserts name is OrderName {
  const { names } = orderRegistry;
  if (names.includes(name)) return;
  throw usageError('--rule', `a page order: ${names.join(', ')}`, name);
}

const probability = z
  .number('a probability from 0 to 1')
  .min(0, 'a probability from 0 to 1')
  .max(1, 'a probability from 0 to 1');

const schema = z.strictObject(
  { probabilities: z.array(probability, 'a list of probabilities').min(1, 'at least one probability') },
  '{"probabilities": […]}',
);

/** @throws Failure, UsageError it cannot be read, or is not as the schema says */
function readProbabilities(file: string): Float64Array {
  return Float64Array.from(checked(schema, readYaml(file), file, [file]).probabilities);
}
