import { ask, type Migration } from './ask.ts';
import { frequency, type Heat, known, type LearnedHeat, recency, unknown } from './heat.ts';
import { orderRegistry } from './order/orders.ts';
import type { Plan } from './plan.ts';
import { lastedNs } from './windows-seen.ts';

/** What is known of how hot pages are when the migration starts. */
export interface Heats {
  readonly forOrder: Heat;
  readonly forDeferral: Heat;
}

/** Before the start: watch the guest window by window, unless the plan knows its program or needs no history. */
export function* learnHeats(plan: Plan): Migration<Heats> {
  const orderHeat = orderRegistry.get(plan.order).heat;
  const needed = orderHeat !== 'none' || plan.defer !== null;
  if (needed && plan.heat === 'known') {
    const { rates } = yield* ask({ kind: 'learn' });
    const heat = known(rates, plan.windowNs);
    return { forOrder: heat, forDeferral: heat };
  }
  if (!needed) return { forOrder: unknown, forDeferral: unknown };
  const byRecency = orderHeat === 'recency' ? recency(plan.pages) : undefined;
  const byFrequency = !byRecency || plan.defer !== null ? frequency(plan.pages, plan.halfLifeNs) : undefined;
  yield* watch(
    plan,
    [byRecency, byFrequency].filter((heat) => heat !== undefined),
  );
  return { forOrder: byRecency ?? byFrequency!, forDeferral: byFrequency ?? unknown };
}

/** For as long as the plan says. */
function* watch({ observeNs, windowNs }: Plan, heats: readonly LearnedHeat[]): Migration<void> {
  for (let watchedNs = 0; watchedNs < observeNs; ) {
    const windows = Math.ceil((observeNs - watchedNs) / windowNs);
    const answer = yield* ask({ kind: 'observe', windowNs, windows });
    if (answer.kind === 'watched') {
      for (const heat of heats) heat.seeAll(answer.windows);
      watchedNs += lastedNs(answer.windows);
    } else {
      for (const heat of heats) heat.see(answer.dirty, answer.windowNs);
      watchedNs += answer.windowNs;
    }
  }
}
