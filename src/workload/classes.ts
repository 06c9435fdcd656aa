import { poissonProgram } from './poisson-program.ts';
import type { Activity, PoissonGroup, Program } from './program.ts';
import { scattered } from './scatter.ts';

/** Poisson writers in classes (hot, warm, …): each page of a class is written at the class's rate. */
export interface ClassesSpec {
  readonly kind: 'classes';
  readonly classes: readonly { readonly pages: number; readonly writesPerSecond: number }[];
}

/** Classes are scattered over the memory, so that a page's address says nothing about its class; page 0 is in the first. */
function groupsOf(spec: ClassesSpec, pages: number, seed: number): PoissonGroup[] {
  const layout = scattered(pages, seed);
  let start = 0;
  return spec.classes.map(({ pages: count, writesPerSecond }) => {
    start += count;
    return { mostWritesPerSecond: writesPerSecond, pages: layout.subarray(start - count, start) };
  });
}

export function classesProgram(spec: ClassesSpec, pages: number, seed: number): Program {
  const groups = groupsOf(spec, pages, seed);
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

export function classesActivity(spec: ClassesSpec, pages: number, seed: number): Activity {
  return { kind: 'poisson', groups: groupsOf(spec, pages, seed) };
}
