import { firstFitDecreasing, type Load } from './cpu-admission.ts';
import { ruleOf } from './cpu-plan.ts';
import { deadlineMisfit } from './deadline-admission.ts';
import { EarliestFirst, NONE } from './earliest-first.ts';
import { type KernelSettings, kernelProcessors, type ThreadSettings } from './kernel-classes.ts';
import { type EntityId, Processor, type ProcessorListener, type SimulatedProcessors } from './processor.ts';

/** The schedulers that can be simulated; `cbs-linux` is another name of `deadline`. */
const rules = {
  fair: ruleOf.fair,
  eevdf: undefined,
  rt: undefined,
  'cbs-soft': ruleOf['cbs-soft'],
  'cbs-hard': ruleOf['cbs-hard'],
  deadline: ruleOf.deadline,
  'cbs-linux': ruleOf.deadline,
};
export const simulatedSchedulers = Object.keys(rules) as (keyof typeof rules)[];

/** Who is to be scheduled, in any unit of time. */
export interface Workload {
  readonly scheduler: keyof typeof rules;
  readonly processors: number;
  /** Where the simulation ends. */
  readonly horizon: number;
  /** Of `fair`: how long one runs before it is another one's turn. */
  readonly quantum?: number | undefined;
  /** Of `eevdf` and `rt`. */
  readonly kernel?: Partial<KernelSettings>;
  readonly servers: readonly ServedJobs[];
  readonly tasks: readonly PeriodicTask[];
}

export interface ServedJobs extends Load, ThreadSettings {
  /** Release and work of each, in the order of release; or always busy. */
  readonly jobs: readonly (readonly [release: number, work: number])[] | 'backlogged';
}

/** Released at 0, period, 2·period, …, and due when the next one is released. */
export interface PeriodicTask extends ThreadSettings {
  readonly name: string;
  readonly wcet: number;
  readonly period: number;
}

/** The entity runs from start to end. */
export interface Slice {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly processor: number;
}

/** What happens before the horizon. */
export interface Schedule {
  /** In the order of time, then of processors. */
  readonly slices: readonly Slice[];
  /** When each one's jobs were done. */
  readonly finishes: Readonly<Record<string, readonly number[]>>;
  /** The deadlines that each server had, one after the other. */
  readonly deadlines: Readonly<Record<string, readonly number[]>>;
}

/** The servers and tasks ask for more than the processors give. */
export class Overload extends RangeError {}

/**
 * The schedule of a workload: partitioned over the processors first-fit decreasing, earliest deadline first on
 * each. Under `deadline` all processors are one group, as the kernel has them: global EDF, and the kernel's own admission.
 * Under `fair` nothing is reserved: all are best effort, the i-th on processor i modulo their number. Under `eevdf` and `rt`
 * nothing is reserved either: they are the kernel's classes without reservations, on all processors.
 * @throws Overload when they do not fit
 */
export function schedule(workload: Workload): Schedule {
  const contenders = contendersOf(workload);
  const slices = groupsOf(workload, contenders).flatMap((group) => simulate(workload, group));
  return {
    slices: slices.sort((one, other) => one.start - other.start || one.processor - other.processor),
    finishes: Object.fromEntries(contenders.map(({ name, finishes }) => [name, finishes])),
    deadlines: Object.fromEntries(
      contenders.filter(({ isTask }) => !isTask).map(({ name, deadlines }) => [name, deadlines]),
    ),
  };
}

/** A server or a task, and what became of it. */
interface Contender extends Load {
  readonly settings: ThreadSettings;
  readonly isTask: boolean;
  /** When its n-th job is released, Infinity if there is none; and what work that is. */
  readonly release: (job: number) => number;
  readonly work: (job: number) => number;
  readonly finishes: number[];
  readonly deadlines: number[];
}

/** Servers first: ties go to the lower index. */
function contendersOf({ servers, tasks }: Workload): Contender[] {
  return [
    ...servers.map(({ name, budget, period, jobs, ...settings }) => {
      const row = jobs === 'backlogged' ? [[0, Number.POSITIVE_INFINITY] as const] : jobs;
      return {
        ...{ name, isTask: false, budget, period, settings, finishes: [], deadlines: [] },
        release: (job: number) => row[job]?.[0] ?? Number.POSITIVE_INFINITY,
        work: (job: number) => row[job]![1],
      };
    }),
    ...tasks.map(({ name, wcet, period, ...settings }) => ({
      ...{ name, isTask: true, budget: wcet, period, settings, finishes: [], deadlines: [] },
      release: (job: number) => job * period,
      work: () => wcet,
    })),
  ];
}

/** Some of the processors, and those who share them. */
interface Group {
  readonly firstProcessor: number;
  readonly processors: number;
  readonly contenders: readonly Contender[];
}

/** @throws Overload */
function groupsOf({ scheduler, processors }: Workload, contenders: readonly Contender[]): readonly Group[] {
  if (rules[scheduler] === 'linux') {
    const refused = deadlineMisfit(contenders, processors);
    if (refused) throw new Overload(refused.why);
    return [{ firstProcessor: 0, processors, contenders }];
  }
  if (isKernelClass(scheduler)) return [{ firstProcessor: 0, processors, contenders }];
  const processorOf = placed(scheduler, processors, contenders);
  return Array.from({ length: processors }, (_, processor) => ({
    firstProcessor: processor,
    processors: 1,
    contenders: contenders.filter((_, index) => processorOf[index] === processor),
  }));
}

/** @throws Overload */
function placed(
  scheduler: Workload['scheduler'],
  processors: number,
  contenders: readonly Contender[],
): readonly number[] {
  if (rules[scheduler] === undefined) return contenders.map((_, index) => index % processors);
  const placement = firstFitDecreasing(contenders, processors);
  if (placement.admitted) return placement.processorOf;
  throw new Overload(placement.why);
}

/** What one group does. */
function simulate(workload: Workload, group: Group): Slice[] {
  const { horizon } = workload;
  const { firstProcessor, contenders } = group;
  const slices: Slice[] = [];
  const processors: SimulatedProcessors = processorsOf(workload, group, {
    slice: (id, start, end, processor) =>
      slices.push({ name: contenders[id]!.name, start, end, processor: firstProcessor + processor }),
    finished: (id, at) => contenders[id]!.finishes.push(at),
    deadline: (id, deadline) => {
      if (processors.now < horizon) contenders[id]!.deadlines.push(deadline);
    },
  });
  const released = contenders.map(() => 0);
  const releases = new EarliestFirst();
  const expectNext = (id: EntityId) => {
    const at = contenders[id]!.release(released[id]!);
    if (at < horizon) releases.put(id, at);
    else releases.remove(id);
  };
  for (const id of contenders.keys()) expectNext(id);
  for (let id = releases.first; id !== NONE; id = releases.first) {
    processors.runUntil(releases.firstKey);
    processors.arrive(id, contenders[id]!.work(released[id]!));
    released[id]! += 1;
    expectNext(id);
  }
  processors.runUntil(horizon);
  processors.flush();
  return slices;
}

function processorsOf(
  { scheduler, quantum = 1, kernel }: Workload,
  { processors, contenders }: Group,
  listener: ProcessorListener,
): SimulatedProcessors {
  if (isKernelClass(scheduler)) {
    const threads = contenders.map(({ settings }) => settings);
    return kernelProcessors(scheduler, processors, threads, listener, kernel);
  }
  const rule = rules[scheduler];
  const processor = new Processor(rule ?? 'hard', listener, quantum, processors);
  for (const { isTask, budget, period } of contenders) {
    if (rule === undefined) processor.addBestEffort();
    else if (isTask) processor.addTask(period);
    else processor.addServer({ budgetNs: budget, periodNs: period });
  }
  return processor;
}

function isKernelClass(scheduler: Workload['scheduler']): scheduler is 'eevdf' | 'rt' {
  return scheduler === 'eevdf' || scheduler === 'rt';
}
