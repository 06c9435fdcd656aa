/** One that asks for `budget` in every `period`, in whole units of time. */
export interface Load {
  readonly name: string;
  readonly budget: number;
  readonly period: number;
  /** The one on which it must run. Without it: any. */
  readonly processor?: number | undefined;
}

export type Placement =
  | { readonly admitted: true; readonly processorOf: readonly number[] }
  | { readonly admitted: false; readonly misfit: string; readonly why: string };

/**
 * Of a processor: beyond this, too little is left for handing over the turns, and for programs that take none. It is
 * also the kernel's own limit for reservations (sysctl kernel.sched_rt_runtime_us).
 */
export const MOST_RESERVED = 0.95;

/** Shares U = budget / period as whole multiples of 1/whole, so that their sums and comparisons are exact. */
type ExactShares = ReturnType<typeof exactShares>;

/**
 * Partitioned EDF: gives every load a processor of its own choice, or names the first that finds none. Whoever is tied to one
 * goes first, then whoever asks for the largest share (ties: the first listed), and takes the first processor with room, which is
 * where ΣU ≤ 1: on one processor EDF keeps any reservations of which that holds (Liu & Layland 1973).
 *
 * What global EDF guarantees, this admits as well: a load that finds no room has seen more than 1 − U on each of
 * the M processors, so ΣU > M − (M − 1)·U. So there is no set to be refused here and recommended to global EDF.
 */
export function firstFitDecreasing(
  loads: readonly Load[],
  processors: number,
  format: (time: number) => string = String,
): Placement {
  const shares = exactShares(loads);
  const { processorOf, misfit } = place(shares, processors, pinsOf(loads));
  if (misfit === undefined) return { admitted: true, processorOf };
  const { name, budget, period, processor } = loads[misfit]!;
  const nowhere = processor === undefined ? 'none has' : `processor ${processor} has not`;
  const reservation = (most: number) => `(${format(most)} of every ${format(period)})`;
  const asked = rounded(sumOf(shares.each), shares);
  const offer = `${processors} ${processors === 1 ? 'processor' : 'processors'}`;
  const most = mostBudget(loads, misfit, processors);
  const instead =
    most === undefined
      ? 'the others would not fit without it either'
      : most === 0
        ? 'the others fit only without it'
        : `at most ${reservation(most)} would`;
  const why =
    `${name} ${reservation(budget)} does not fit: the reservations ask for ${asked} of ${offer} ` +
    `and ${nowhere} ${rounded(shares.each[misfit]!, shares)} left; ${instead}`;
  return { admitted: false, misfit: name, why };
}

/** Whether all loads find a processor by the same rule, where at most `MOST_RESERVED` of each may be reserved. */
export function reservable(loads: readonly Pick<Load, 'budget' | 'period'>[], processors: number): boolean {
  const shares = exactShares(loads);
  const room = (shares.whole * BigInt(MOST_RESERVED * 100)) / 100n;
  return place(shares, processors, [], room).misfit === undefined;
}

/**
 * Whether global EDF keeps all loads on M identical processors, whichever of them runs where:
 * ΣU ≤ M − (M − 1)·Umax (Goossens, Funk & Baruah 2003). Sufficient, not necessary.
 */
export function globalEdfGuarantees(loads: readonly Load[], processors: number): boolean {
  const { each, whole } = exactShares(loads);
  const sum = sumOf(each);
  const largest = each.reduce((most, share) => (share > most ? share : most), 0n);
  return sum <= BigInt(processors) * whole - BigInt(processors - 1) * largest;
}

export function exactShares(loads: readonly Omit<Load, 'name'>[]) {
  const whole = loads.reduce((common, { period }) => leastCommonMultiple(common, BigInt(period)), 1n);
  return { each: loads.map(({ budget, period }) => (BigInt(budget) * whole) / BigInt(period)), whole };
}

/** `processorOf` is by load; `misfit` is the first load, in the order of placing, that fits nowhere. */
function place(
  { each, whole }: ExactShares,
  processors: number,
  pins: readonly Load['processor'][],
  room = whole,
): { readonly processorOf: readonly number[]; readonly misfit?: number } {
  const left = new Array<bigint>(processors).fill(room);
  const processorOf = new Array<number>(each.length).fill(0);
  const isFree = (load: number) => Number(pins[load] === undefined);
  const inTurn = [...each.keys()].sort(
    (one, other) => isFree(one) - isFree(other) || sign(each[other]! - each[one]!),
  );
  for (const load of inTurn) {
    const { [load]: pin } = pins;
    const processor = left.findIndex(
      (free, index) => each[load]! <= free && (pin === undefined || pin === index),
    );
    if (processor === -1) return { processorOf, misfit: load };
    left[processor]! -= each[load]!;
    processorOf[load] = processor;
  }
  return { processorOf };
}

function pinsOf(loads: readonly Load[]): readonly Load['processor'][] {
  return loads.map(({ processor }) => processor);
}

/** The budget of one load with which all fit, but not with one unit more; undefined if not even with none. */
function mostBudget(loads: readonly Load[], which: number, processors: number): number | undefined {
  const fits = (budget: number) => {
    const asking = loads.map((load, index) => (index === which ? { ...load, budget } : load));
    return place(exactShares(asking), processors, pinsOf(loads)).misfit === undefined;
  };
  if (!fits(0)) return undefined;
  let most = 0;
  let tooMuch = loads[which]!.budget;
  while (tooMuch - most > 1) {
    const between = most + Math.floor((tooMuch - most) / 2);
    if (fits(between)) most = between;
    else tooMuch = between;
  }
  return most;
}

/** A share with two decimals, rounded up: whoever has not what is asked has not this either. */
function rounded(share: bigint, { whole }: ExactShares): string {
  return (Number((share * 100n + whole - 1n) / whole) / 100).toFixed(2);
}

function sign(value: bigint): number {
  return value > 0n ? 1 : value < 0n ? -1 : 0;
}

export function sumOf(shares: readonly bigint[]): bigint {
  return shares.reduce((sum, share) => sum + share, 0n);
}

function leastCommonMultiple(one: bigint, other: bigint): bigint {
  let [divisor, rest] = [one, other];
  while (rest > 0n) [divisor, rest] = [rest, divisor % rest];
  return (one / divisor) * other;
}
