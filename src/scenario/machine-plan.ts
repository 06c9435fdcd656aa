import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import { insisting } from './checked.ts';
import { cellsOf, type Scenario, type ScenarioCell } from './scenario.ts';
import { isObject } from './settings.ts';

/** What is known of a machine that somebody else has started. */
export interface FoundMachine {
  readonly name: string;
  readonly pages: number;
  /** Of its host. */
  readonly processors: number;
}

/** Nobody says what its programs write. */
const unknownProgram = { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] };

/** What a scenario says that only a machine of ours can do: each key, and what would be as it is. */
const notHere = {
  'migration.clear': 'page: QEMU clears the bit of a page as it sends it',
  'migration.heat': 'estimated: what the programs of this machine write is not known',
  'link.capacity': 'nothing: a machine of somebody else does not share a link with others yet',
} as const;

/** The same beside a reservation of CPU time. */
const notReserved = {
  'cpu.scheduler': 'deadline: only the kernel can keep the reservation of a machine of somebody else',
  'cpu.reclaim': 'false: what others leave of theirs cannot be had by every means',
} as const;

/** While pages are held back QEMU does not ask its dirty log, so that they are in the last round only. */
const heldBack = 'nothing, or stop.rule rounds, under which it is known which round is the last one';

/**
 * A scenario's plan, for this machine in place of the scenario's guest. A page costs what it costs in QEMU's stream.
 * @throws UsageError all that is wrong with it
 */
export function machinePlan(
  { base, file }: Scenario,
  { name, pages, processors }: FoundMachine,
): ScenarioCell {
  const { guest, link, cpu, fleet: _, background: __, ...others } = base;
  const reservations = [guest, base.sender].map((one) => (isObject(one) ? one.reservation : undefined));
  const isReserved = reservations.some((one) => one !== undefined && one !== 'none');
  const document = {
    ...others,
    guest: { name, pages, program: unknownProgram, reservation: reservations[0] },
    cpu: isReserved ? { scheduler: 'deadline', processors } : cpu,
    link: { ...(isObject(link) ? link : {}), overhead: PAGE_RECORD_BYTES },
  };
  insisting((insist) => {
    const at = (path: string) =>
      path.split('.').reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), base);
    for (const [path, expected] of Object.entries({ ...notHere, ...(isReserved && notReserved) })) {
      const found = at(path);
      const isAsIs = expected.startsWith(`${String(found)}:`);
      insist(found === undefined || isAsIs, path, expected, found);
    }
    const rule = at('migration.stop.rule') ?? 'rounds';
    insist(rule === 'rounds' || !at('migration.defer'), 'migration.defer', heldBack, at('migration.defer'));
  });
  return cellsOf({ base: document, file }, [])[0]!;
}
