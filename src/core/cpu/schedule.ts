import { type Contender, contendersOf } from './contenders.ts';
import { firstFitDecreasing } from './cpu-admission.ts';
import { deadlineMisfit } from './deadline-admission.ts';
import { EarliestFirst, NONE } from './earliest-first.ts';
import { insideOf } from './inside-server.ts';
import { kernelProcessors } from './kernel-classes.ts';
import { type EntityId, Processor, type ProcessorListener, type SimulatedProcessors } from './processor.ts';
import { budgetsUsedUp, type ResponseTimes, responseTimes } from './response-times.ts';
import { hasRanks, isKernelClass, rules, type Slice, type Workload } from './workload.ts';

/** What happens before the horizon. */
export interface Schedule {
  /** In the order of time, then of processors. */
  readonly slices: readonly Slice[];
  /** When each one's jobs were done. */
  readonly finishes: Readonly<Record<string, readonly number[]>>;
  /** The deadlines that each server had, one after the other. */
  readonly deadlines: Readonly<Record<string, readonly number[]>>;
  /** How long each one's jobs took, and how many were late; of a hard server that is always busy, its budgets. */
  readonly responses: Readonly<Record<string, ResponseTimes>>;
  /** Of servers with tasks in them, which of these ran when; their `finishes` and `responses` are above. */
  readonly inside: Readonly<Record<string, readonly Slice[]>>;
}

/** The servers and tasks ask for more than the processors give. */
export class Overload extends RangeError {}

/**
 * The schedule of a workload: partitioned over the processors first-fit decreasing, by shares, and on each earliest deadline
 * first, or by fixed priorities under `rm` and `dm`. With deadlines below periods, or fixed priorities, what fits may be late all
 * the same: `responses` says so. Under `deadline` all processors are one group, as the kernel has them: global EDF, and the kernel's own admission.
 * Under `fair` nothing is reserved: all are best effort, the i-th on processor i modulo their number, unless it is tied to one. Under `eevdf` and `rt`
 * nothing is reserved either: they are the kernel's classes without reservations, on all processors.
 * @throws Overload when they do not fit
 */
export function schedule(workload: Workload): Schedule {
  const contenders = contendersOf(workload);
  const slices = groupsOf(workload, contenders).flatMap((group) => simulate(workload, group));
  slices.sort((one, other) => one.start - other.start || one.processor - other.processor);
  const inside = insideOf(workload, slices);
  const finishes = contenders.map(({ name, finishes, isShared }) => [name, isShared ? [] : finishes]);
  return {
    slices,
    finishes: { ...Object.fromEntries(finishes), ...inside.finishes },
    deadlines: Object.fromEntries(
      contenders.filter(({ isTask }) => !isTask).map(({ name, deadlines }) => [name, deadlines]),
    ),
    responses: { ...responsesOf(workload, contenders, slices), ...inside.responses },
    inside: inside.slices,
  };
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
  if (rules[scheduler] === undefined && !hasRanks(scheduler))
    return contenders.map(({ processor }, index) => processor ?? index % processors);
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
  for (const { isTask, budget, period, deadline } of contenders) {
    if (hasRanks(scheduler)) processor.addRankedTask(scheduler === 'rm' ? period : deadline);
    else if (rule === undefined) processor.addBestEffort();
    else if (isTask) processor.addTask(deadline);
    else processor.addServer({ budgetNs: budget, periodNs: period, relativeDeadlineNs: deadline });
  }
  return processor;
}

function responsesOf(
  { scheduler, horizon }: Workload,
  contenders: readonly Contender[],
  slices: readonly Slice[],
): Schedule['responses'] {
  const hasBudgets = rules[scheduler] === 'hard' || rules[scheduler] === 'linux';
  const busy = contenders.filter(({ isBacklogged }) => hasBudgets && isBacklogged);
  const own = new Map(busy.map(({ name }): [string, Slice[]] => [name, []]));
  for (const slice of slices) own.get(slice.name)?.push(slice);
  return Object.fromEntries(
    contenders.map(({ name, isBacklogged, isShared, isDue, budget, period, deadline, release, finishes }) => {
      const ofServer = own.get(name);
      const jobs = ofServer
        ? { release: (job: number) => job * period, finishes: budgetsUsedUp(ofServer, budget) }
        : { release, finishes: isShared ? [] : finishes };
      const dueAfter = ofServer || (isDue && !isBacklogged && !isShared) ? deadline : undefined;
      return [name, responseTimes({ ...jobs, dueAfter }, horizon)];
    }),
  );
}
