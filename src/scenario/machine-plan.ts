import type { Device } from '../core/migration/device.ts';
import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import { type Insist, insisting } from './checked.ts';
import { cellsOf, type Scenario, type ScenarioCell } from './scenario.ts';
import { isObject } from './settings.ts';

/** What is known of a machine that somebody else has started. */
export interface FoundMachine {
  readonly name: string;
  readonly pages: number;
}

/**
 * What a stop of QEMU's takes besides pages: the state of its devices, and the two monitors' words. Of a machine with the
 * devices of `-M pc`: chosen, not measured (docs/your-vm.md).
 */
export const machineDevice: Device = { stateBytes: 64 * 1024, timeNs: 15e6 };

/** The rule that knows its last round before it is sent. Under others QEMU stops up to 0.1 s later (docs/your-vm.md). */
export const machineStops = [1, 2, 3, 4].map((count) => ({ rule: 'rounds', rounds: count }));

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

/** A guest in whose place such a machine stands: nobody says what its programs write. */
export function machineGuest({ name, pages }: FoundMachine): Record<string, unknown> {
  return { name, pages, program: unknownProgram };
}

/** Notes what of a scenario means nothing for such a machine. @param document as it was written, or as a schema leaves it */
export function insistOnMachine(document: object, insist: Insist): void {
  insistOn(notHere, document, insist);
  const rule = foundAt(document, 'migration.stop.rule') ?? 'rounds';
  const deferred = foundAt(document, 'migration.defer');
  insist(rule === 'rounds' || !deferred, 'migration.defer', heldBack, deferred);
}

/** The same of what keeps reservations of CPU time for its threads. */
export function insistOnKernel(document: object, insist: Insist): void {
  insistOn(notReserved, document, insist);
}

/** @param allowed by path, what may be there: one word, and why no other one */
function insistOn(allowed: Readonly<Record<string, string>>, document: object, insist: Insist): void {
  for (const [path, expected] of Object.entries(allowed)) {
    const found = foundAt(document, path);
    const isAsIs = expected.startsWith(`${String(found)}:`);
    insist(found === undefined || isAsIs, path, expected, found);
  }
}

function foundAt(document: object, path: string): unknown {
  return path.split('.').reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), document);
}

/**
 * A scenario's plan, for this machine in place of the scenario's guest. A page costs what it costs in QEMU's stream.
 * @param processors of its host
 * @throws UsageError all that is wrong with it
 */
export function machinePlan(
  { base, file }: Scenario,
  machine: FoundMachine,
  processors: number,
): ScenarioCell {
  const { guest, link, cpu, fleet: _, background: __, ...others } = base;
  const reservations = [guest, base.sender].map((one) => (isObject(one) ? one.reservation : undefined));
  const isReserved = reservations.some((one) => one !== undefined && one !== 'none');
  const document = {
    ...others,
    guest: { ...machineGuest(machine), reservation: reservations[0] },
    cpu: isReserved ? { scheduler: 'deadline', processors } : cpu,
    link: { ...(isObject(link) ? link : {}), overhead: PAGE_RECORD_BYTES },
  };
  insisting((insist) => {
    insistOnMachine(base, insist);
    if (isReserved) insistOnKernel(base, insist);
  });
  return cellsOf({ base: document, file }, [])[0]!;
}
