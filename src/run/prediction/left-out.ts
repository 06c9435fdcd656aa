import { isContended, ruleOf } from '../../core/cpu/cpu-plan.ts';
import { formatDuration } from '../../core/units.ts';
import type { ScenarioCell } from '../../scenario/scenario.ts';
import { latenessMeanNs } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';

/** A migration, and its part in a link that others use too. */
type Modelled = MigrationSpec & Partial<Pick<ScenarioCell, 'share' | 'settings'>>;

/** What a scenario says that the model's figures do not depend on, in the words of its keys. */
export function leftOutOf(scenario: Modelled): readonly string[] {
  const {
    plan,
    cpu,
    antagonists = [],
    deltas,
    native,
    share,
    settings,
    machine,
    linkLatencyNs = 0,
  } = scenario;
  const leftOut: string[] = [];
  const leave = (applies: boolean, what: string) => {
    if (applies) leftOut.push(what);
  };
  // Of a migration that a daemon is asked for, nobody knows which others use the link; of a scenario, its fleet.
  const others = share != null && (settings === undefined || settings.some(({ path }) => path === 'fleet'));
  leave(others && plan.isElastic === true, 'fleet: the parts of the link that others leave');
  leave(others && plan.isElastic !== true, 'fleet: waiting for the link, before the migration begins');
  leave(share != null && share.changes.length > 0, 'link.changes');
  leave(linkLatencyNs > 0, 'link.latency at the end of a round, for which the guest writes on');
  for (const kind of ['memory-hog', 'garbage'] as const) {
    leave(
      antagonists.some((each) => each.kind === kind),
      `background ${kind}`,
    );
  }
  const latenessNs = latenessMeanNs(antagonists);
  leave(
    latenessNs > 0,
    `background timer-noise while the guest is stopped (${formatDuration(latenessNs)} at a time)`,
  );
  leave(plan.verify === 'full' && !machine, 'migration.verify full');
  leave(
    machine !== undefined && isContended(cpu),
    'waits of the sender for its processor within the hand-over',
  );
  leave(cpu.reclaim && ruleOf[cpu.scheduler] === 'linux', 'cpu.reclaim');
  const moves = cpu.scheduler === 'none' && cpu.processors > 1 && isContended(cpu) && cpu.hogs > 0;
  leave(moves, 'cpu.scheduler none: moves between processors');
  leave(deltas === true, 'vm.delta');
  leave(native?.xbzrleCacheBytes != null, 'qemu.xbzrle');
  leave((native?.multifdChannels ?? 0) > 0, 'qemu.multifd');
  leave(native?.autoConverge === true, 'qemu.autoConverge');
  return leftOut;
}
