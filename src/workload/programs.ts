import type { Device } from '../core/migration/device.ts';
import type { WriteRates } from '../core/migration/heat.ts';
import { Failure } from '../platform/failure.ts';
import { type ClassesSpec, classes } from './classes.ts';
import { type DirtyCurveSpec, dirtyCurve } from './dirty-curve.ts';
import { type Activity, groupRate, type Program, type ProgramKind, type ProgramPlace } from './program.ts';
import { type Bursts, meanSpeed } from './program-clock.ts';
import { type SequentialSpec, sequential } from './sequential.ts';
import { type StreamSpec, stream } from './stream.ts';
import { type TraceSpec, trace } from './trace.ts';
import { type ZipfSpec, zipf } from './zipf.ts';

/** A guest's program as data. */
export type ProgramSpec = ClassesSpec | ZipfSpec | SequentialSpec | StreamSpec | TraceSpec | DirtyCurveSpec;

/** A guest, all of it as data: enough to boot it here, or to run it on where its memory has arrived. */
export interface GuestSpec {
  readonly name: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** The last so many pages hold only zeros, and the program leaves them alone. */
  readonly zeroPages: number;
  readonly program: ProgramSpec;
  readonly heartbeatPeriodNs: number;
  /** CPU time that a write takes, where the program does not say it itself. */
  readonly cpuPerWriteNs: number;
  /** What its devices add to a stop; without: nothing. */
  readonly device?: Device | undefined;
  /** Without, its program always runs at the same speed. */
  readonly bursts?: Bursts | undefined;
  readonly seed: number;
}

const kinds: Readonly<Record<ProgramSpec['kind'], ProgramKind<ProgramSpec>>> = {
  ...{ classes, zipf, sequential, saturating: sequential, stream, trace },
  'dirty-curve': dirtyCurve,
};

/** The program that a specification describes. @throws Failure a damaged recording; a guest that cannot be run. */
export function programOf(guest: GuestSpec): Program {
  return kinds[guest.program.kind].program(guest.program, placeOf(guest));
}

/** The same program as a process in time. @throws Failure a damaged recording. */
export function activityOf(guest: GuestSpec): Activity {
  return kinds[guest.program.kind].activity(guest.program, placeOf(guest));
}

function placeOf(guest: GuestSpec): ProgramPlace {
  return { pages: usedPages(guest), zeroPages: guest.zeroPages, seed: guest.seed };
}

/** The pages that are not zero for good. */
export function usedPages({ pages, zeroPages }: Pick<GuestSpec, 'pages' | 'zeroPages'>): number {
  return pages - zeroPages;
}

/** A byte tells so many classes apart, one of them being the pages that nobody writes. */
const CLASSES_MAX = 255;

/**
 * How often pages are written in the long run, bursts included: perfect knowledge of the guest, whose activity may be at
 * hand. Where it is written in classes, the rates are those of the classes, the coldest first.
 */
export function writeRatesOf(guest: GuestSpec, activity = activityOf(guest)): WriteRates {
  const groups = activity.kind === 'poisson' ? activity.groups : [];
  const inClasses =
    groups.length > 0 && groups.length <= CLASSES_MAX && groups.every((group) => !group.writesPerSecond);
  const speed = meanSpeed(guest.bursts);
  if (!inClasses) return { writesPerSecond: writesPerSecondOf(guest, activity).map((rate) => rate * speed) };
  const ascending = groups.toSorted((a, b) => a.mostWritesPerSecond - b.mostWritesPerSecond);
  const classOf = new Uint8Array(guest.pages);
  for (const [index, { pages }] of ascending.entries()) {
    for (let i = 0; i < pages.length; i++) classOf[pages[i]!] = 1 + index;
  }
  return {
    writesPerSecond: Float64Array.of(0, ...ascending.map((group) => group.mostWritesPerSecond * speed)),
    classOf,
  };
}

/** How often each page is written in the program's own time. */
export function writesPerSecondOf(guest: GuestSpec, activity = activityOf(guest)): Float64Array {
  const rates = new Float64Array(guest.pages);
  switch (activity.kind) {
    case 'timeline':
      rates.set(activity.writesPerSecond());
      return rates;
    case 'curve':
      return rates.fill(activity.differentPages(1e9) / usedPages(guest), 0, usedPages(guest));
    case 'poisson':
      for (const group of activity.groups) {
        for (let i = 0; i < group.pages.length; i++) rates[group.pages[i]!] = groupRate(group, i);
      }
      return rates;
  }
}

/** The least number of pages that the program can live in. */
export function pagesNeeded(program: ProgramSpec): number {
  return kinds[program.kind].pagesNeeded(program);
}

/** @throws Failure the guest has too few pages for its program. */
export function checkProgramFits(guest: GuestSpec): void {
  const needed = pagesNeeded(guest.program);
  if (needed <= usedPages(guest)) return;
  throw new Failure(`the program needs ${needed} pages, the guest has ${usedPages(guest)}`);
}
