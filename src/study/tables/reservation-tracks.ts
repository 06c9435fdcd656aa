import type { CpuPlan } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { counter, named, stretch, type TraceEvent } from './trace-event.ts';

/**
 * Of each CPU reservation when it was served, and a counter of its budget: how much it was served within the last period, of Q.
 * A server that always has work is at Q whenever a period ends. The scheduler's own account of what is left of a budget is
 * recorded by no world.
 */
export function reservationEvents(
  { guest, sender }: Pick<CpuPlan, 'guest' | 'sender'>,
  slices: readonly Slice[],
): readonly TraceEvent[] {
  const reserved = Object.entries({ guest, sender }).flatMap(([name, reservation]) => {
    const own = slices.filter((slice) => slice.name === name).sort((a, b) => a.startNs - b.startNs);
    return reservation && own.length > 0 ? [{ name, reservation, own }] : [];
  });
  if (reserved.length === 0) return [];
  return [
    ...named(
      'reservations',
      'CPU reservations',
      reserved.map(({ name, reservation }) => `${name}, ${inWords(reservation)}`),
    ),
    ...reserved.flatMap(({ name, reservation, own }, index) => [
      ...own.map(({ startNs, endNs, processor }) =>
        stretch('reservations', index + 1, 'served', startNs, endNs - startNs, { processor }),
      ),
      ...servedWithin(own, reservation.periodNs).map(({ atNs, servedNs }) =>
        counter('reservations', `budget of ${name}, ms`, atNs, {
          served: servedNs / NANOS_PER_MILLISECOND,
          reserved: reservation.budgetNs / NANOS_PER_MILLISECOND,
        }),
      ),
    ]),
  ];
}

function inWords({ budgetNs, periodNs }: Reservation): string {
  const ms = (ns: Nanos) => Number((ns / NANOS_PER_MILLISECOND).toPrecision(4));
  return `${ms(budgetNs)} of ${ms(periodNs)} ms`;
}

/** The CPU time within the last `periodNs`, at every instant at which it begins or ceases to change. */
export function servedWithin(
  slices: readonly Pick<Slice, 'startNs' | 'endNs'>[],
  periodNs: Nanos,
): readonly { readonly atNs: Nanos; readonly servedNs: Nanos }[] {
  // What is served counts from when it is served until a period later.
  const turns = slices
    .flatMap(({ startNs, endNs }) => [
      { atNs: startNs, slope: 1 },
      { atNs: endNs, slope: -1 },
      { atNs: startNs + periodNs, slope: -1 },
      { atNs: endNs + periodNs, slope: 1 },
    ])
    .sort((one, other) => one.atNs - other.atNs);
  const points: { atNs: Nanos; servedNs: Nanos }[] = [];
  let [atNs, servedNs, slope] = [0, 0, 0];
  for (const turn of turns) {
    servedNs += slope * (turn.atNs - atNs);
    ({ atNs } = turn);
    slope += turn.slope;
    if (points.at(-1)?.atNs === atNs) points.pop();
    points.push({ atNs, servedNs: Math.max(0, servedNs) });
  }
  return points;
}
