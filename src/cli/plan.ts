import { dirname, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { usageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { checked } from '../scenario/checked.ts';
import { locating } from '../scenario/located.ts';
import { cellsOf, readScenario, type Scenario } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { scenarioSchema } from '../scenario/scenario-schema.ts';
import { byPath, isObject, type Setting, withSettings } from '../scenario/settings.ts';
import { expectedTarget, parseTarget, type Target } from '../scenario/target.ts';
import { analysedSet, readTaskSet } from '../scenario/task-sets/read-task-set.ts';
import type { FeasiblePlan, PlanAnswer } from '../study/plan/answer.ts';
import { defaultCost, parseCost } from '../study/plan/cost.ts';
import { type DeployedSettings, deployedSettings } from '../study/plan/deployed-settings.ts';
import { keepable, planProblem } from '../study/plan/plan-problem.ts';
import { plan } from '../study/plan/planned.ts';
import type { GuestTasks } from '../study/plan/tasks.ts';
import { planTable } from '../study/tables/plan-table.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { addMachineOptions, type MachineOptions, machineOf } from './machine-option.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { setOption, settingsOf } from './scenario-options.ts';
import { print } from './standard-streams.ts';

interface Options extends MachineOptions, OutputOptions {
  readonly set?: readonly Setting[];
  readonly target?: string;
  readonly tasks?: string;
  readonly cost?: string;
  readonly keep?: string;
  readonly seed?: string;
  readonly out?: string;
}

/** `switchover plan FILE --target …`: the least reservations that keep it, with a certificate; exit code 3: there are none. */
export function planCommand(command: Command, exit: Exit): void {
  command
    .argument('<file>', 'scenario (YAML), or the name of a bundled one', scenarioFile)
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
    .option('--out <file>', 'write the scenario with what was chosen')
    .addOption(setOption());
  addMachineOptions(command)
    .addOption(jsonOption())
    .addOption(wideOption())
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const machine = machineOf(options);
  const scenario = readScenario(file, settingsOf(options));
  const keep = keepOf(options.keep);
  const cost = options.cost === undefined ? defaultCost : parseCost(options.cost);
  const tasks = options.tasks === undefined ? null : tasksOf(options.tasks);
  const { problem, seed } = locating(file, scenario.text, () => {
    const { target: written, seed } = checked(scenarioSchema, scenario.base, 'scenario');
    const target = options.target === undefined ? (written ?? []) : targetOf(options.target);
    if (target.length === 0 && !tasks) throw usageError('--target', expectedTarget, undefined);
    return { problem: planProblem({ scenario, machine, target, cost, keep }), seed };
  });
  const answer = await plan(problem, tasks, seed);
  const deployed = answer.feasible ? deployedOf(scenario, answer) : null;
  if (options.out !== undefined && answer.feasible)
    writeText(options.out, chosenScenario(scenario, answer, options.out));
  const told = writeJson(options.json, () => jsonOf(answer, deployed));
  if (told) print(planTable(scenario.name, answer, deployed, widthOf(options)));
  return answer.feasible ? 0 : 3;
}

function targetOf(text: string): Target {
  const target = parseTarget(text);
  if (target) return target;
  throw usageError('--target', expectedTarget, text);
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

/** The answer's keys are a contract. */
function jsonOf(answer: PlanAnswer, deployed: DeployedSettings | null) {
  const { feasible, target, tasks, cost, migrations, leftOut } = answer;
  const about = { cost, migrations, leftOut };
  if (!answer.feasible) {
    const { reason, bound } = answer;
    return {
      feasible,
      target,
      tasks,
      reason,
      bound,
      chosen: null,
      certificate: null,
      sensitivity: [],
      settings: null,
      ...about,
    };
  }
  const { certificate, sensitivity, downtimeNs, totalNs, front, choiceCost } = answer;
  return {
    ...{ feasible, target, tasks },
    chosen: byPath(answer.settings),
    chosenCost: choiceCost,
    expected: { downtimeNs, totalNs },
    ...{ certificate, sensitivity, settings: deployed },
    front: front.map(({ choice: { rate, stopRate, sender, guest }, totalNs, cost }) => ({
      rateBytesPerSecond: rate,
      stopRateBytesPerSecond: stopRate ?? rate,
      ...{ sender, guest, totalNs, cost },
    })),
    ...about,
  };
}

/** The scenario with the choice in it, and the target that it keeps; a recording is named from the new file. */
function chosenScenario({ base, file }: Scenario, { settings, target }: FeasiblePlan, out: string): string {
  const kept = target
    .map(({ metric, limitNs, probability }) => `${metric}<=${limitNs}ns@${probability}`)
    .join(', ');
  const { guest } = base;
  const recording = isObject(guest) && isObject(guest.program) ? guest.program.file : undefined;
  const moved =
    typeof recording === 'string' && file !== undefined
      ? [
          {
            path: 'guest.program.file',
            value: relative(dirname(resolve(out)), resolve(dirname(file), recording)),
          },
        ]
      : [];
  return stringify(withSettings(base, [...settings, { path: 'target', value: kept }, ...moved]));
}
