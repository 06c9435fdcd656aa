import { poissonProgram } from './poisson-program.ts';
import type { PoissonGroup, Program, ProgramKind, ProgramPlace } from './program.ts';
import { scattered } from './scatter.ts';

/** Poisson writers in classes (hot, warm, …): each page of a class is written at the class's rate. */
export interface ClassesSpec {
  readonly kind: 'classes';
  readonly classes: readonly { readonly pages: number; readonly writesPerSecond: number }[];
}

/** Classes are scattered over the memory, so that a page's address says nothing about its class; page 0 is in the first. */
function groupsOf({ classes }: ClassesSpec, { pages, seed }: ProgramPlace): PoissonGroup[] {
  const layout = scattered(pages, seed);
  let start = 0;
  return classes.map(({ pages: count, writesPerSecond }) => {
    start += count;
    return { mostWritesPerSecond: writesPerSecond, pages: layout.subarray(start - count, start) };
  });
}

function program(spec: ClassesSpec, place: ProgramPlace): Program {
  const groups = groupsOf(spec, place);
  const weights = groups.map((group) => group.pages.length * group.mostWritesPerSecond);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return poissonProgram(total, (random) => {
    let point = random.uniform() * total;
    let index = 0;
    while (index < groups.length - 1 && point >= weights[index]!) point -= weights[index++]!;
    const members = groups[index]!.pages;
    return members[random.below(members.length)]!;
  });
}

export const classes: ProgramKind<ClassesSpec> = {
  program,
  activity: (spec, place) => ({ kind: 'poisson', groups: groupsOf(spec, place) }),
  pagesNeeded: (spec) => spec.classes.reduce((sum, { pages }) => sum + pages, 0),
};
