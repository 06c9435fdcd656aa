import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import { type Insist, insisting } from './checked.ts';
import { cellsOf, type Scenario, type ScenarioCell } from './scenario.ts';
import { isObject } from './settings.ts';

/** What is known of a machine that somebody else has started. */
export interface FoundMachine {
  readonly name: string;
  readonly pages: number;
}

/** Nobody says what its programs write. */
const unknownProgram = { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] };

/** What a scenario says that only a machine of ours can do: each key, and what would be as it is. */
const notHere = {
  'migration.clear': 'page: QEMU clears the bit of a page as it sends it',
  'migration.heat': 'estimated: what the programs of this machine write is not known',
  'guest.reservation': 'nothing: a reservation of CPU time for a machine of somebody else is not supported',
  'sender.reservation': 'nothing: a reservation of CPU time for a machine of somebody else is not supported',
  'link.capacity': 'nothing: a machine of somebody else does not share a link with others yet',
} as const;

/** While pages are held back QEMU does not ask its dirty log, so that they are in the last round only. */
const heldBack = 'nothing, or stop.rule rounds, under which it is known which round is the last one';

/** A guest in whose place such a machine stands: nobody says what its programs write. */
export function machineGuest({ name, pages }: FoundMachine): Record<string, unknown> {
  return { name, pages, program: unknownProgram };
}

/** Notes what of a scenario means nothing for such a machine. @param document as it was written, or as a schema leaves it */
export function insistOnMachine(document: object, insist: Insist): void {
  const at = (path: string) =>
    path.split('.').reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), document);
  for (const [path, expected] of Object.entries(notHere)) {
    const found = at(path);
    const isAsIs = expected.startsWith(`${String(found)}:`);
    insist(found === undefined || isAsIs, path, expected, found);
  }
  const rule = at('migration.stop.rule') ?? 'rounds';
  insist(rule === 'rounds' || !at('migration.defer'), 'migration.defer', heldBack, at('migration.defer'));
}

/**
 * A scenario's plan, for this machine in place of the scenario's guest. A page costs what it costs in QEMU's stream.
 * @throws UsageError all that is wrong with it
 */
export function machinePlan({ base, file }: Scenario, machine: FoundMachine): ScenarioCell {
  const { guest: _, link, fleet: __, background: ___, ...others } = base;
  const document = {
    ...others,
    guest: machineGuest(machine),
    link: { ...(isObject(link) ? link : {}), overhead: PAGE_RECORD_BYTES },
  };
  insisting((insist) => insistOnMachine(base, insist));
  return cellsOf({ base: document, file }, [])[0]!;
}
