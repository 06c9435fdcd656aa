import type { Command } from 'commander';
import { Failure } from '../platform/failure.ts';
import { usageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { checked } from '../scenario/checked.ts';
import { locating } from '../scenario/located.ts';
import { cellsOf, type Scenario, type ScenarioFile } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { scenarioSchema } from '../scenario/scenario-schema.ts';
import type { Setting } from '../scenario/settings.ts';
import { expectedTarget } from '../scenario/target.ts';
import { analysedSet, readTaskSet } from '../scenario/task-sets/read-task-set.ts';
import type { FeasiblePlan } from '../study/plan/answer.ts';
import { defaultCost, parseCost } from '../study/plan/cost.ts';
import { type DeployedSettings, deployedSettings } from '../study/plan/deployed-settings.ts';
import { keepable, planProblem } from '../study/plan/plan-problem.ts';
import { plan } from '../study/plan/planned.ts';
import type { GuestTasks } from '../study/plan/tasks.ts';
import { planTable } from '../study/tables/plan-table.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { addMachineOptions, type MachineOptions, machineOf } from './machine-option.ts';
import { jsonOption, type OutputOptions, quietOption, wideOption, widthOf } from './output-options.ts';
import { chosenScenario, planJson } from './plan-output.ts';
import { addPlannedGuestOptions, type PlannedGuestOptions, withPlannedScenario } from './planned-scenario.ts';
import { setOption, settingsOf } from './scenario-options.ts';
import { print } from './standard-streams.ts';
import { targetOf } from './target-option.ts';

interface Options extends MachineOptions, OutputOptions, PlannedGuestOptions {
  readonly set?: readonly Setting[];
  readonly target?: string;
  readonly tasks?: string;
  readonly cost?: string;
  readonly keep?: string;
  readonly seed?: string;
  readonly svg?: string;
}

/** `switchover plan FILE --target …`: the least reservations that keep it, with a certificate; exit code 3: there are none. */
export function planCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '[file]',
      'scenario (YAML), or the name of a bundled one; optional with --from, --qmp or --pid if the link is set',
      scenarioFile,
    )
    .option(
      '--target <target>',
      "what is to be kept, such as 'downtime<=200ms@0.99, total<=30s@0.95' (default: the scenario's target)",
    )
    .option(
      '--tasks <file>',
      'a real-time task set in the guest, from which the longest downtime follows: JSON of rt-app, XML of SimSo, or YAML',
    )
    .option(
      '--cost <weights>',
      'what a processor costs, and the link as b and as b_d (default: cpu=1,b=1,bd=0.2)',
    )
    .option(
      '--keep <paths>',
      `what stays as the scenario has it, with commas between: ${keepable.join(', ')}`,
    )
    .option('--seed <n>', 'random seed of the search; certificates use others')
    .option(
      '--out <file>',
      'write the scenario with what was chosen; a recording of its guest is kept beside it',
    )
    .option('--svg <file>', 'draw what may be reserved instead, by the model, beside what was chosen')
    .addOption(setOption());
  addPlannedGuestOptions(addMachineOptions(command))
    .addOption(jsonOption())
    .addOption(wideOption())
    .addOption(quietOption())
    .action(async (file: string | undefined, options: Options) => exit(await action(file, options)));
}

async function action(file: string | undefined, options: Options): Promise<number> {
  const machine = machineOf(options);
  const keep = keepOf(options.keep);
  const cost = options.cost === undefined ? defaultCost : parseCost(options.cost);
  const tasks = options.tasks === undefined ? null : tasksOf(options.tasks);
  const problemOf = (scenario: Scenario) =>
    locatedIn(scenario, () => {
      const { target: written, seed } = checked(scenarioSchema, scenario.base, 'scenario');
      const target = options.target === undefined ? (written ?? []) : targetOf(options.target);
      if (target.length === 0 && !tasks) throw usageError('--target', expectedTarget, undefined);
      return { problem: planProblem({ scenario, machine, target, cost, keep }), seed };
    });
  return withPlannedScenario(file, settingsOf(options), options, problemOf, async (scenario, unknown) => {
    const { problem, seed } = problemOf(scenario);
    const found = await plan(problem, tasks, seed);
    const answer = { ...found, leftOut: [...found.leftOut, ...unknown] };
    const deployed = answer.feasible ? deployedOf(scenario, answer) : null;
    if (options.out !== undefined && answer.feasible)
      writeText(options.out, chosenScenario(scenario, answer, options.out));
    if (options.svg !== undefined && answer.feasible) await drawFront(options.svg, answer);
    const told = writeJson(options.json, () => planJson(answer, deployed));
    if (told) print(planTable(scenario.name, answer, deployed, widthOf(options)));
    return answer.feasible ? 0 : 3;
  });
}

/** @throws Failure there is nothing to choose from */
async function drawFront(file: string, answer: FeasiblePlan): Promise<void> {
  // What draws is loaded only here.
  const [{ planFront }, { standalone }] = await Promise.all([
    import('../study/findings/plots/plan-front.ts'),
    import('../study/findings/plots/draw.ts'),
  ]);
  const front = planFront(answer);
  if (!front) throw new Failure('--svg: nothing to draw, because there is one choice only');
  writeText(file, standalone(front));
}

function locatedIn<Read>(scenario: Scenario | ScenarioFile, read: () => Read): Read {
  return 'text' in scenario ? locating(scenario.file, scenario.text, read) : read();
}

function keepOf(text = ''): ReadonlySet<string> {
  const paths = text.split(',').flatMap((path) => path.trim() || []);
  const unknown = paths.find((path) => !(keepable as readonly string[]).includes(path));
  if (unknown !== undefined) throw usageError('--keep', `any of ${keepable.join(', ')}`, unknown);
  return new Set(paths);
}

function tasksOf(file: string): GuestTasks {
  const read = readTaskSet(file);
  const { policy, tasks } = analysedSet(read, file);
  return { policy, tasks, names: tasks.map(({ name }) => name), reservation: read.reservation };
}

function deployedOf(scenario: Scenario, { settings, target }: FeasiblePlan): DeployedSettings {
  return deployedSettings(scenario.name, cellsOf(scenario, settings)[0]!, target);
}
