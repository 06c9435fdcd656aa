import { inputLimits } from '../core/input-limits.ts';
import { deferrable } from '../core/migration/deferral.ts';
import { known } from '../core/migration/heat.ts';
import { slotsPerWindow } from '../core/migration/plan.ts';
import { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';
import { expectedOrder } from '../model/expected-order.ts';
import { heldBack } from '../model/held-back.ts';
import { type PageStratum, portionsOfPages } from '../model/portions.ts';
import { type OrderedPortions, orderOfStrata } from '../model/strata-order.ts';
import { TooLarge } from '../platform/failure.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { meanSpeed } from '../workload/program-clock.ts';
import { activityOf, type GuestSpec, writeRatesOf, writesPerSecondOf } from '../workload/programs.ts';
import { type Stratum, strataOf } from '../workload/strata.ts';
import { firstPageOf, firstPageRate } from './prediction/first-page.ts';

/** Pages that lie anywhere, of which it is not known yet whether they are held back. */
type Unheld = Pick<PageStratum, 'pages' | 'writesPerSecond' | 'zero'>;

/** Breaks ties of the expected order, from a stream that no world uses. */
const MODEL_STREAM = 4;

/**
 * The pages of a guest as the model follows them, and their order: strata, as many for a large guest as for a small one.
 * Page by page where the order must be asked of pages.
 * @param cpuSpeed how fast its program goes for want of CPU time; 1: there is enough
 * @param slotNs what a page takes: no round is shorter
 * @throws TooLarge there are too many of them for that
 */
export function modelledPages(spec: MigrationSpec, cpuSpeed: number, slotNs: Nanos): OrderedPortions {
  const { guest, plan } = spec;
  const { defer, order, windowNs } = plan;
  const strata = strataOf(guest)?.map(({ pages, writesPerSecond }) => ({
    pages,
    writesPerSecond: writesPerSecond * cpuSpeed,
  }));
  const rule = orderOfStrata(order);
  if (strata && rule) {
    return rule(withFirstPage(withZeroPages(strata, guest), spec, cpuSpeed, slotNs), {
      windowNs,
      slotsPerWindow: slotsPerWindow(plan),
    });
  }
  const { pages, zeroPages } = guest;
  if (pages > inputLimits.modelledPages) {
    throw new TooLarge('guest.pages', `at most ${inputLimits.modelledPages} to be predicted one by one`);
  }
  const activity = activityOf(guest);
  const heat = known(writeRatesOf(guest, activity), windowNs);
  const speed = meanSpeed(guest.bursts) * cpuSpeed;
  const rates = writesPerSecondOf(guest, activity).map((rate) => rate * speed);
  const randomWritesPerSecond = rates.reduce((sum, rate) => sum + rate, 0) / speed;
  rates[0] = firstPageRate({ periodsNs: [guest.heartbeatPeriodNs], randomWritesPerSecond }, speed, slotNs);
  const deferred = deferrable(defer, heat, pages);
  const random = Random.seeded(plan.seed, MODEL_STREAM);
  return {
    portions: portionsOfPages(rates, zeroPages, (page) => deferred.has(page)),
    order: expectedOrder(order, pages, { heat, slotsPerWindow: slotsPerWindow(plan), random }),
  };
}

/**
 * Held back as the plan sees it, and then written as it is: page 0, the first of the first stratum, more often than the others.
 * Who knows the program takes it for one of them, an estimate finds out.
 */
function withFirstPage(
  strata: readonly Unheld[],
  { guest, plan }: MigrationSpec,
  cpuSpeed: number,
  slotNs: Nanos,
): readonly PageStratum[] {
  const oftenWithin = (ns: Nanos) =>
    firstPageRate(firstPageOf(guest), meanSpeed(guest.bursts) * cpuSpeed, ns);
  const often = oftenWithin(slotNs);
  const [first, ...others] = strata.map((stratum) => ({ ...stratum, isFirstPage: false }));
  const writesPerSecond = plan.heat === 'known' ? first!.writesPerSecond : oftenWithin(plan.windowNs);
  const all = [
    { ...first!, pages: 1, writesPerSecond, isFirstPage: true },
    { ...first!, pages: first!.pages - 1 },
    ...others,
  ];
  if (first!.pages === 0) return heldBack(strata, plan);
  return heldBack(
    all.filter(({ pages }) => pages > 0),
    plan,
  ).map(({ isFirstPage, ...part }) => (isFirstPage ? { ...part, writesPerSecond: often } : part));
}

/** The last stratum is of pages that nobody writes. */
function withZeroPages(strata: readonly Stratum[], { zeroPages }: GuestSpec): Unheld[] {
  const marked = strata.map((stratum) => ({ ...stratum, zero: false }));
  if (zeroPages === 0) return marked;
  const unwritten = marked.pop()!;
  return [
    ...marked,
    { ...unwritten, pages: unwritten.pages - zeroPages },
    { ...unwritten, pages: zeroPages, zero: true },
  ];
}
