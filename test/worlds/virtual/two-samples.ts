import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import { driveSync } from '../../../src/run/drive.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
import type { GuestSpec } from '../../../src/workload/programs.ts';
import { LumpedWorld } from '../../../src/worlds/virtual/lumped-world.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';

/** What is compared of a migration: downtime, total, bytes, rounds, and what each of the first rounds and the stop sent. */
const figures: Readonly<Record<string, (result: MigrationResult) => number>> = {
  downtime: ({ downtimeNs }) => downtimeNs,
  total: ({ totalNs }) => totalNs,
  bytes: ({ link }) => link.sentBytes,
  rounds: ({ rounds }) => rounds.length,
  'second round': ({ rounds }) => rounds[1]?.sentPages ?? -1,
  'third round': ({ rounds }) => rounds[2]?.sentPages ?? -1,
  skipped: ({ rounds }) => rounds.reduce((sum, { skippedPages }) => sum + skippedPages, 0),
  stop: ({ stop }) => stop.pages,
};

type Change = { guest?: Partial<GuestSpec>; plan?: Partial<Plan> };

/**
 * Kolmogorov and Smirnov's distance between page-exact and lumped migrations of each figure, in units of √((n + m)/nm): above 1.95
 * for one pair of equal distributions in a thousand.
 * @returns the figures whose distance is larger than `most`
 */
export function differences(
  change: Change,
  runs: number,
  most: number,
  ofLumped: Change = change,
): readonly string[] {
  const exact = migrations((spec) => new VirtualWorld(spec, false), change, runs, 0);
  const lumped = migrations((spec) => new LumpedWorld(spec, false), ofLumped, runs, runs);
  return Object.entries(figures).flatMap(([name, figure]) => {
    const distance = scaledDistance(exact.map(figure), lumped.map(figure));
    return distance > most ? [`${name}: ${distance.toFixed(2)}`] : [];
  });
}

function migrations(
  worldOf: (spec: MigrationSpec) => VirtualWorld | LumpedWorld,
  { guest, plan }: Change,
  runs: number,
  firstSeed: number,
): readonly MigrationResult[] {
  return Array.from({ length: runs }, (_, run) => {
    const seed = 1_000 + firstSeed + run;
    const spec = smallSetup({ guest: { ...guest, seed }, plan: { observeNs: 0, ...plan, seed } });
    return driveSync(spec.plan, worldOf(spec));
  });
}

function scaledDistance(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [one.toSorted((x, y) => x - y), other.toSorted((x, y) => x - y)];
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest / Math.sqrt((a.length + b.length) / (a.length * b.length));
}

const rounds = { rule: 'rounds', rounds: 3 } as const;
const known = { heat: 'known' } as const;
const mixed: Partial<GuestSpec> = { pages: 1_000, zeroPages: 150 };

/** Plans that treat the pages of a stratum alike, each in its own way. */
export const lumpablePlans: Readonly<Record<string, Change>> = {
  'bits cleared by page, by address': { plan: { stop: rounds } },
  'bits cleared by round, by address': { plan: { clear: 'round', stop: rounds } },
  'a random order, pages of zeros': { guest: mixed, plan: { order: 'random', stop: rounds } },
  'the coldest first': { guest: mixed, plan: { ...known, order: 'increasing', stop: rounds } },
  'the hottest first': { plan: { ...known, order: 'decreasing', clear: 'round', stop: rounds } },
  'pages that are dirty again wait': { plan: { clear: 'round', skip: true, stop: rounds } },
  'pages that are dirty again wait, coldest first': {
    guest: mixed,
    plan: { ...known, order: 'increasing', clear: 'round', skip: true, stop: rounds },
  },
  'Xen’s rule': { guest: mixed, plan: { clear: 'round', stop: { rule: 'xen', rounds: 5, pages: 50 } } },
  'QEMU’s rule, bits by page': { plan: { stop: { rule: 'downtime', limitNs: 45e6 } } },
  'QEMU’s rule, bits by round': {
    guest: mixed,
    plan: { clear: 'round', stop: { rule: 'downtime', limitNs: 45e6 } },
  },
  'a threshold of deferral': {
    plan: { ...known, order: 'increasing', defer: { threshold: 0.3 }, stop: rounds },
  },
  'a number held back, half of a class': {
    plan: { ...known, order: 'increasing', clear: 'round', defer: { count: 30 }, stop: rounds },
  },
  'a number held back, by address': {
    plan: { ...known, order: 'address', clear: 'round', defer: { count: 130 }, stop: rounds },
  },
  bursts: {
    guest: { bursts: { everyNs: 70e6, lengthNs: 20e6, factor: 5 } },
    plan: { stop: rounds },
  },
  'bursts, bits by round': {
    guest: { ...mixed, bursts: { everyNs: 70e6, lengthNs: 20e6, factor: 5 } },
    plan: { clear: 'round', stop: rounds },
  },
  'a sweep': {
    guest: { ...mixed, program: { kind: 'saturating', pages: 300, writesPerSecond: 900 } },
    plan: { clear: 'round', stop: { rule: 'downtime', limitNs: 45e6 } },
  },
  'a sweep over and over, in random order': {
    guest: { ...mixed, program: { kind: 'saturating', pages: 120, writesPerSecond: 900 } },
    plan: { clear: 'round', order: 'random', stop: rounds },
  },
  'Zipf’s law': {
    guest: { program: { kind: 'zipf', pages: 600, exponent: 1, writesPerSecond: 3_000 } },
    plan: { clear: 'round', stop: rounds },
  },
};
