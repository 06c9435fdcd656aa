import { type Reservation, shareOf } from '../core/cpu/reservation.ts';
import { memoryLimits } from '../platform/machine-limits.ts';
import { insisting } from '../scenario/checked.ts';
import { type Experiment, experimentOf, type ScenarioCell, scenarioOf } from '../scenario/scenario.ts';
import type { WorldName } from '../worlds/world-names.ts';

/** What one request may ask for. */
const MOST_CELLS = 100;
const MOST_RUNS = 1_000;
const MOST_PAGES = 2_000_000;

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
    const sizes = experiment.cells.map(({ guest }) => guest.pages * guest.pageSizeBytes);
    const pages = Math.max(...experiment.cells.map(({ guest }) => guest.pages));
    insist(pages <= MOST_PAGES, 'guest.pages', `at most ${MOST_PAGES}`, pages);
    const fits =
      world === 'virtual' || Math.max(...sizes) <= Math.min(...memoryLimits().map(({ most }) => most)) / 8;
    insist(
      fits,
      'guest.pages',
      'a guest of at most an eighth of the memory that this process may use',
      pages,
    );
  });
  return experiment;
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
 * of each of these, the k-th largest reservation, since where all of those fit, so do any that are not larger.
 */
export function peakReservations({ cells }: Pick<Experiment, 'cells'>): readonly Reservation[] {
  const together = new Map<number, Reservation[]>();
  for (const { fleet, cpu } of cells) {
    const { guest, sender } = cpu;
    const own = [guest, sender].filter((reservation) => reservation !== null);
    together.set(fleet, [...(together.get(fleet) ?? []), ...own]);
  }
  const peak: Reservation[] = [];
  for (const reservations of together.values()) {
    const decreasing = reservations.sort((one, other) => shareOf(other) - shareOf(one));
    for (const [index, reservation] of decreasing.entries()) {
      const largest = peak[index];
      if (!largest || shareOf(largest) < shareOf(reservation)) peak[index] = reservation;
    }
  }
  return peak;
}
