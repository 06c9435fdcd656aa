import { loadavg } from 'node:os';
import { packageFolder } from '../src/platform/package.ts';
import { run } from '../src/run/run.ts';
import { predictedMachine } from '../src/scenario/machine-profile.ts';
import { experimentOf, scenarioOf } from '../src/scenario/scenario.ts';
import { machineProfileFile } from '../src/scenario/scenario-file.ts';
import type { Setting } from '../src/scenario/settings.ts';
import { type HeldPromise, heldPromise } from '../src/study/plan/held-promise.ts';
import { leastShare } from '../src/study/statistics/kept-share.ts';
import type { KeptRows } from './kept-rows.ts';
import { planned } from './planned-check.ts';
import { machineScenarios, type PlannedScenario, plannedScenarios } from './planned-scenarios.ts';

/** What is carried out in real time, and how often. */
const real = {
  threads: {
    runs: 50,
    scenarios: plannedScenarios
      .filter(({ name }) =>
        ['slides 200ms', 'small 70ms', 'busy 40ms', 'zipf 60ms', 'redis 300ms', 'ffmpeg 400ms'].includes(
          name,
        ),
      )
      .map(overRealLink),
  },
  vm: { runs: 10, scenarios: machineScenarios },
};

/** A page has its header there, and the bucket has room for both, whatever a scenario says. */
function overRealLink(one: PlannedScenario): PlannedScenario {
  const { overhead: _, depth: __, ...link } = one.document.link as Readonly<Record<string, unknown>>;
  return { ...one, document: { ...one.document, link } };
}

/** A plan with the costs of a machine; reason null: there is one. */
export interface PlanForReal {
  readonly reason: string | null;
  readonly settings: readonly Setting[];
}

/** One migration in real time, held against the target. */
export interface RealRun {
  readonly outcome: string;
  readonly downtimeMs: number;
  readonly held: HeldPromise;
  /** When it began. */
  readonly load: number;
}

/**
 * Plans with a machine's profile and carries the plans out in a world of real time. What else runs on the machine is in the figures, so
 * the load stands beside them.
 */
export async function carriedOutForReal(
  world: keyof typeof real,
  profile: string,
  plans: KeptRows<PlanForReal>,
  migrations: KeptRows<RealRun>,
): Promise<void> {
  const machine = predictedMachine(machineProfileFile(profile), world);
  const { runs, scenarios } = real[world];
  console.log(`world ${world}, with the costs of the profile '${machine.name}'`);
  for (const of of scenarios) {
    const subject = [JSON.stringify(of).replaceAll(packageFolder, ''), machine.sha256];
    const { reason, settings } = await plans.of(subject, async () => {
      const { answer } = await planned(of, machine);
      return answer.feasible
        ? { reason: null, settings: answer.settings }
        : { reason: answer.reason, settings: [] };
    });
    if (reason !== null) {
      console.log(`${of.name}: ${of.target}: none: ${reason}`);
      continue;
    }
    const done: RealRun[] = [];
    for (let repetition = 0; repetition < runs; repetition++) {
      done.push(
        await migrations.of([...subject, settings, repetition], () =>
          migrated(of, settings, world, repetition),
        ),
      );
    }
    console.log(lineOf(of, settings, done));
  }
}

async function migrated(
  { name, document, target: text }: PlannedScenario,
  settings: readonly Setting[],
  world: keyof typeof real,
  repetition: number,
): Promise<RealRun> {
  const load = loadavg()[0]!;
  const experiment = experimentOf(
    scenarioOf({ ...document, target: text }, { name, file: 'bench' }, settings),
  );
  const once = { ...experiment, runs: 1, seed: experiment.seed + repetition };
  const [{ records }] = (await run(once, { world, ensembles: false })) as [
    Awaited<ReturnType<typeof run>>[0],
  ];
  const { outcome, downtimeNs } = records[0]!;
  const held = heldPromise(experiment.target!, records[0]!);
  return { outcome, downtimeMs: downtimeNs / 1e6, held, load };
}

function lineOf(
  { name, target }: PlannedScenario,
  settings: readonly Setting[],
  done: readonly RealRun[],
): string {
  const runs = done.length;
  const first = done[0]!.held.clauses;
  const clauses = first.map(({ metric, probability }, clause) => {
    const kept = done.filter(({ held }) => held.clauses[clause]!.kept).length;
    return `${metric} kept in ${kept} of ${runs}, at least ${(100 * leastShare(kept, runs, 0.05)).toFixed(1)} % with 95 % confidence, asked for ${100 * probability} %`;
  });
  const downtimes = done.map(({ downtimeMs }) => downtimeMs).toSorted((one, other) => one - other);
  const loads = done.map(({ load }) => load);
  return [
    `${name}: ${target}: ${settings.map(({ value }) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ')}`,
    `  ${clauses.join('; ')}`,
    `  downtime ${downtimes[Math.floor(runs / 2)]!.toFixed(1)} ms, at most ${downtimes.at(-1)!.toFixed(1)} ms; load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  ].join('\n');
}
