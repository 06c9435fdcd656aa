import { cpus } from 'node:os';
import { formatDuration, formatSize } from '../core/units.ts';
import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import { insisting } from './checked.ts';
import { machineDevice, machinePlan, machineStops } from './machine-plan.ts';
import type { Scenario } from './scenario.ts';
import { isObject } from './settings.ts';

/** As a scenario writes it. */
const device = {
  state: formatSize(machineDevice.stateBytes),
  time: formatDuration(machineDevice.timeNs),
};

/** As a scenario's `guest` would be. */
interface RehearsedGuest {
  readonly guest: Readonly<Record<string, unknown>>;
  /** The file of its recording, which may lie anywhere. */
  readonly recording?: string;
}

/**
 * The scenario in which virtual time moves a machine of somebody else: with its recording for a guest, pages as long as in
 * QEMU's stream, and a dirty log that is asked once a round. What it does not say of its policy is to be chosen.
 * @throws UsageError it is no plan for such a machine
 */
export function plannedMachine(scenario: Scenario, { guest, recording }: RehearsedGuest): Scenario {
  const { fleet: _, background: __, guest: written, link, migration, ...others } = scenario.base;
  const unlimited = withoutCapacity(scenario);
  machinePlan(unlimited, { name: 'machine', pages: Number(guest.pages) }, cpus().length);
  insisting((insist) => {
    const nothing = 'nothing with a target: what it does to such a machine is not in the model';
    for (const [end, part] of Object.entries({ guest: written, sender: others.sender })) {
      const found = isObject(part) ? part.reservation : undefined;
      insist(found === undefined || found === 'none', `${end}.reservation`, nothing, found);
    }
  });
  const said = isObject(migration) ? migration : {};
  const own = isObject(written) ? written.device : undefined;
  const base = {
    ...others,
    guest: { ...guest, device: own ?? device },
    link: { ...(isObject(link) ? link : {}), overhead: PAGE_RECORD_BYTES },
    migration: { ...said, clear: 'round' },
  };
  const compare = {
    ...(said.stop === undefined && { 'migration.stop': machineStops }),
    ...(said.order === undefined && { 'migration.order': ['address', 'threshold'] }),
  };
  return { ...scenario, file: recording ?? scenario.file, base, compare };
}

/** What a plan may take of a link; the machine itself shares its link with nobody. */
export function withoutCapacity(scenario: Scenario): Scenario {
  const { link } = scenario.base;
  if (!isObject(link)) return scenario;
  const { capacity: _, ...own } = link;
  return { ...scenario, base: { ...scenario.base, link: own } };
}
