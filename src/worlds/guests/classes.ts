import { NANOS_PER_SECOND } from '../../core/units.ts';
import { scattered } from './layout.ts';
import { type Activity, type PoissonGroup, type Program, writePage } from './program.ts';

/** Poisson writers in classes (hot, warm, …): each page of a class is written at the class's rate. */
export interface ClassesSpec {
  readonly kind: 'classes';
  readonly classes: readonly { readonly pages: number; readonly writesPerSecond: number }[];
}

/** Classes lie scattered over the memory, so that address order knows nothing of heat; page 0 is in the first. */
function groupsOf(spec: ClassesSpec, pages: number, seed: number): PoissonGroup[] {
  const layout = scattered(pages, seed);
  let start = 0;
  return spec.classes.map(({ pages: count, writesPerSecond }) => {
    start += count;
    return { mostWritesPerSecond: writesPerSecond, pages: layout.subarray(start - count, start) };
  });
}

const NEXT_AT = 0;

/** The writers of all pages together are one Poisson process: its instants, then whose write each one is. */
export function classesProgram(spec: ClassesSpec, pages: number, seed: number): Program {
  const groups = groupsOf(spec, pages, seed);
  const weights = groups.map((group) => group.pages.length * group.mostWritesPerSecond);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const meanGapNs = total === 0 ? Number.POSITIVE_INFINITY : NANOS_PER_SECOND / total;
  return {
    stepCpuNs: 0,
    ownHeartbeat: false,
    boot({ registers, random }) {
      registers[NEXT_AT] = random.exponential(meanGapNs);
    },
    nextAtNs: ({ registers }) => registers[NEXT_AT]!,
    step({ memory, registers, random }) {
      let point = random.uniform() * total;
      let index = 0;
      while (index < groups.length - 1 && point >= weights[index]!) point -= weights[index++]!;
      const members = groups[index]!.pages;
      writePage(memory, members[random.below(members.length)]!, random.bits());
      registers[NEXT_AT]! += random.exponential(meanGapNs);
      return false;
    },
  };
}

export function classesActivity(spec: ClassesSpec, pages: number, seed: number): Activity {
  return { kind: 'poisson', groups: groupsOf(spec, pages, seed) };
}
