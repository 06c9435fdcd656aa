import type { CbsRule } from '../../../src/core/cpu/cbs.ts';

/** Somebody who competes for the processor, with jobs [release, work] in the order of release. */
export interface Contender {
  readonly kind: 'server' | 'task' | 'best effort';
  /** Of a server. */
  readonly budget: number;
  /** Of a server or task. */
  readonly period: number;
  /** Of a server or task: how long after a period begins, or a job is released, it is due. Without it: the period. */
  readonly deadline?: number;
  /** Of a task under fixed priorities: the least goes first. */
  readonly rank?: number;
  readonly jobs: readonly (readonly [release: number, work: number])[];
}

interface OutcomeSlice {
  readonly who: number;
  readonly start: number;
  readonly processor: number;
  end: number;
}

export interface Outcome {
  readonly slices: readonly OutcomeSlice[];
  readonly finishes: readonly (readonly number[])[];
}

/**
 * What the rules say, one unit of time after the other, as simple as can be and sharing nothing with what it checks:
 * jobs end, budgets end and come, jobs arrive, the processors are given away, a unit of time passes.
 */
export function slotBySlot(
  rule: CbsRule,
  contenders: readonly Contender[],
  quantum: number,
  horizon: number,
  processors = 1,
): Outcome {
  const states = contenders.map(() => ({
    queue: [] as { left: number; released: number }[],
    c: 0,
    d: Number.NEGATIVE_INFINITY,
    throttled: false,
  }));
  const finishes = contenders.map((): number[] => []);
  const line: number[] = [];
  let quantumLeft = quantum;
  const slices: OutcomeSlice[] = [];
  let runs = new Array<number | undefined>(processors).fill(undefined);

  const keepBudget = (who: number, t: number) => {
    const { budget: Q, period: P, deadline: D = P } = contenders[who]!;
    const state = states[who]!;
    while (state.queue.length > 0 && state.c <= 0) {
      state.throttled = rule !== 'soft' && t < state.d - D + P;
      if (state.throttled) break;
      state.c += Q;
      state.d += P;
    }
  };

  for (let t = 0; t < horizon; t++) {
    for (const [who, { kind, budget: Q, period: P, deadline: D = P, jobs }] of contenders.entries()) {
      const state = states[who]!;
      // Who sleeps without budget gets the next one at its time too, where D < P lets it matter.
      if (kind === 'server' && D < P && state.queue.length === 0 && state.c <= 0 && t === state.d - D + P) {
        state.c = Q;
        state.d = t + D;
      }
      for (const [release, work] of jobs) {
        if (release !== t) continue;
        state.queue.push({ left: work, released: release });
        if (state.queue.length > 1) continue;
        if (kind === 'best effort') line.push(who);
        if (kind !== 'server') continue;
        const { c, d } = state;
        if (D < P) {
          if (t > d && t < d - D + P) state.c = 0;
          else if (t > d) [state.c, state.d] = [Q, t + D];
          else if (c * D > (d - t) * Q) state.c = Math.floor((Q * (d - t)) / D);
        } else if (rule === 'linux' ? d < t || c * P > (d - t) * Q : c * P >= (d - t) * Q) {
          state.c = Q;
          state.d = t + P;
        }
        keepBudget(who, t);
      }
    }

    const deadline = (who: number) => {
      const { queue, throttled, d } = states[who]!;
      const { kind, period, deadline: after = period, rank } = contenders[who]!;
      if (queue.length === 0 || throttled || kind === 'best effort') return Number.POSITIVE_INFINITY;
      return rank ?? (kind === 'server' ? d : queue[0]!.released + after);
    };
    const chosen = [...contenders.keys()]
      .filter((who) => Number.isFinite(deadline(who)))
      .sort((one, other) => deadline(one) - deadline(other) || one - other)
      .slice(0, processors);
    const someone = chosen.length > 0;
    if (!someone && line[0] !== undefined) chosen.push(line[0]);
    // Who goes on stays where it is; the others take what is free, in their order.
    const stays = runs.map((who) => (who !== undefined && chosen.includes(who) ? who : undefined));
    for (const who of chosen) if (!stays.includes(who)) stays[stays.indexOf(undefined)] = who;
    const before = runs;
    runs = stays;

    for (const who of chosen) {
      const state = states[who]!;
      const processor = runs.indexOf(who);
      const last = slices.findLast((slice) => slice.processor === processor);
      if (last?.who === who && last.end === t && before[processor] === who) last.end = t + 1;
      else slices.push({ who, start: t, end: t + 1, processor });
      state.queue[0]!.left -= 1;
      state.c -= 1;
      if (state.queue[0]!.left === 0) {
        state.queue.shift();
        finishes[who]!.push(t + 1);
      }
      if (!someone) {
        quantumLeft -= 1;
        if (state.queue.length === 0 || quantumLeft === 0) {
          line.shift();
          quantumLeft = quantum;
          if (state.queue.length > 0) line.push(who);
        }
      }
    }
    for (const [index, { kind }] of contenders.entries()) if (kind === 'server') keepBudget(index, t + 1);
  }
  return { slices, finishes };
}
