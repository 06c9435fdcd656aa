import type { Plan } from '../../core/migration/plan.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { SampledPage } from '../../model/sampled-memory.ts';

/** A page of the sample, of which it is not decided yet whether it waits for the stop. */
export interface SampledWriter {
  readonly page: Omit<SampledPage, 'deferred'>;
  /** As a program that is known writes it, in the long run. */
  readonly writesPerSecond: number;
}

/** F, the pages of a sample that wait for the stop whenever they are dirty (core/migration/deferral.ts). */
export function withDeferral(plan: Plan, writers: readonly SampledWriter[]): readonly SampledPage[] {
  const held = heldBackOf(plan, writers);
  return writers.map(({ page }, index) => ({ ...page, deferred: held[index]! }));
}

function heldBackOf({ defer, ...plan }: Plan, writers: readonly SampledWriter[]): readonly boolean[] {
  const held = new Array<boolean>(writers.length).fill(false);
  if (defer === null) return held;
  const heats = Float32Array.from(writers, (writer) =>
    plan.heat === 'known' ? knownHeat(plan, writer) : seenHeat(plan, writer),
  );
  if ('threshold' in defer) return writers.map((_, index) => heats[index]! >= defer.threshold);
  const address = (index: number) => writers[index]!.page.address;
  const hottestFirst = [...writers.keys()].sort(
    (one, other) => heats[other]! - heats[one]! || address(one) - address(other),
  );
  let left = defer.count;
  for (const index of hottestFirst) {
    const { weight } = writers[index]!.page;
    if (left < weight / 2) break;
    held[index] = true;
    left -= weight;
  }
  return held;
}

function knownHeat({ windowNs }: Pick<Plan, 'windowNs'>, { writesPerSecond }: SampledWriter): number {
  return -Math.expm1((-writesPerSecond * windowNs) / NANOS_PER_SECOND);
}

/** The weighted share of the windows before the migration's start that see it written (core/migration/heat.ts, `frequency`). */
function seenHeat(
  { observeNs, windowNs, halfLifeNs }: Pick<Plan, 'observeNs' | 'windowNs' | 'halfLifeNs'>,
  { page }: SampledWriter,
): number {
  const windows = Math.ceil(observeNs / windowNs);
  const weight = (window: number) => 2 ** ((window * windowNs) / halfLifeNs);
  let seen = 0;
  for (let window = 0, times = 0; window < windows; times++) {
    const startNs: Nanos = (window - windows) * windowNs;
    window += Math.floor((page.writtenAfter(startNs, times) - startNs) / windowNs);
    if (window < windows) seen += weight(window);
    window += 1;
  }
  let all = 0;
  for (let window = 0; window < windows; window++) all += weight(window);
  return all === 0 ? 0 : seen / all;
}
