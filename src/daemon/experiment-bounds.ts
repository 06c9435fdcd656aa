import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import { shareOf } from '../core/cpu/reservation.ts';
import { type Bytes, formatSize } from '../core/units.ts';
import { memoryLimits } from '../platform/machine-limits.ts';
import { insisting } from '../scenario/checked.ts';
import { type Experiment, experimentOf, type ScenarioCell, scenarioOf } from '../scenario/scenario.ts';
import type { WorldName } from '../worlds/world-names.ts';

/** What one request may ask for. */
const MOST_CELLS = 100;
const MOST_RUNS = 1_000;
/** Of all runs together, each of which looks at the pages of its guest again and again. */
const MOST_PAGES_OF_RUNS = 2_000_000_000;
/** What a page takes in virtual time: its bit in a few bitmaps, when it was last sent, its place in the order of a round. */
const VIRTUAL_BYTES_OF_PAGE = 48;
/** Of the memory that this process may use, for the guests of one experiment. */
const SHARE_OF_MEMORY = 1 / 8;

/**
 * What is asked for, if one request may: looked at before the scenario is expanded, since a short request must not ask
 * for a long answer to whether it is right.
 * @throws UsageError all that is wrong with it
 */
export function bounded(
  scenario: Readonly<Record<string, unknown>>,
  name: string,
  world: WorldName,
): Experiment {
  const { compare } = scenario;
  if (typeof compare === 'object' && compare !== null) {
    const cells = Object.values(compare).reduce(
      (product: number, values) => product * (Array.isArray(values) ? Math.max(1, values.length) : 1),
      1,
    );
    insisting((insist) =>
      insist(cells <= MOST_CELLS, 'compare', `at most ${MOST_CELLS} combinations`, cells),
    );
  }
  const experiment = experimentOf(scenarioOf(scenario, { name }));
  insistOnWorld(experiment, world);
  insisting((insist) => {
    const runs = experiment.runs * experiment.cells.length;
    insist(runs <= MOST_RUNS, 'runs', `at most ${MOST_RUNS} with all combinations`, runs);
    const pages = experiment.cells.reduce((sum, { guest }) => sum + guest.pages, 0) * experiment.runs;
    insist(pages <= MOST_PAGES_OF_RUNS, 'guest.pages', `at most ${MOST_PAGES_OF_RUNS} in all runs`, pages);
    const mostBytes = SHARE_OF_MEMORY * Math.min(...memoryLimits().map(({ most }) => most));
    const bytes = Math.max(...memoryOfFleets(experiment, world));
    const most = `guests that take at most ${formatSize(mostBytes)} here, an eighth of what this process may use`;
    insist(bytes <= mostBytes, 'guest', most, formatSize(bytes));
  });
  return experiment;
}

/** What the guests take that are there at the same time: those that share a link, or one. */
function memoryOfFleets({ cells }: Experiment, world: WorldName): Iterable<Bytes> {
  const fleets = new Map<number, Bytes>();
  for (const { fleet, guest } of cells) {
    const bytes = guest.pages * (world === 'virtual' ? VIRTUAL_BYTES_OF_PAGE : guest.pageSizeBytes);
    fleets.set(fleet, (fleets.get(fleet) ?? 0) + bytes);
  }
  return fleets.values();
}

/** What means something in one world alone, and whether a scenario asks for it. */
const settings: readonly (readonly [path: string, WorldName, (cell: ScenarioCell) => boolean])[] = [
  ['vm.delta', 'vm', ({ deltas }) => deltas],
  ['qemu.xbzrle', 'qemu-native', ({ native }) => native.xbzrleCacheBytes !== null],
  ['qemu.multifd', 'qemu-native', ({ native }) => native.multifdChannels > 0],
  ['qemu.autoConverge', 'qemu-native', ({ native }) => native.autoConverge],
];

/**
 * A scenario file is for any world, and each leaves aside what is another's. Who asks for an experiment names the world
 * with it, and is told.
 * @throws UsageError settings of other worlds
 */
function insistOnWorld({ cells }: Experiment, world: WorldName): void {
  insisting((insist) => {
    for (const [path, only, isAsked] of settings) {
      const asked = cells.some(isAsked);
      insist(world === only || !asked, path, `nothing, except in the world ${only}`, `world ${world}`);
    }
  });
}

/**
 * What an experiment reserves of the processors at its peak. Migrations over one link run together, all others one after another:
 * of each of these, the k-th largest reservation, since where all of those fit, so do any that are not larger. Where the kernel keeps
 * some and the dispatcher others, each counts as one of whoever keeps the largest.
 */
export function peakReservations({ cells }: Pick<Experiment, 'cells'>): readonly KeptReservation[] {
  const together = new Map<number, KeptReservation[]>();
  for (const { fleet, cpu } of cells) {
    const { guest, sender } = cpu;
    const own = [guest, sender].flatMap((one) => (one ? [{ ...one, scheduler: cpu.scheduler }] : []));
    together.set(fleet, [...(together.get(fleet) ?? []), ...own]);
  }
  const peak: KeptReservation[] = [];
  for (const reservations of together.values()) {
    const decreasing = reservations.sort((one, other) => shareOf(other) - shareOf(one));
    for (const [index, reservation] of decreasing.entries()) {
      const largest = peak[index];
      if (!largest || shareOf(largest) < shareOf(reservation)) peak[index] = reservation;
    }
  }
  return peak;
}
