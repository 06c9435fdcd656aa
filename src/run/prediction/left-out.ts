import { ruleOf } from '../../core/cpu/cpu-plan.ts';
import { formatDuration } from '../../core/units.ts';
import { latenessMeanNs } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';

/** What a scenario says that the model's figures do not depend on, in the words of its keys. */
export function leftOutOf({ plan, cpu, antagonists = [], deltas, native }: MigrationSpec): readonly string[] {
  const leftOut: string[] = [];
  const leave = (applies: boolean, what: string) => {
    if (applies) leftOut.push(what);
  };
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
  leave(plan.verify === 'full', 'migration.verify full');
  leave(cpu.reclaim && ruleOf[cpu.scheduler] === 'linux', 'cpu.reclaim');
  leave(deltas === true, 'vm.delta');
  leave(native?.xbzrleCacheBytes != null, 'qemu.xbzrle');
  leave((native?.multifdChannels ?? 0) > 0, 'qemu.multifd');
  leave(native?.autoConverge === true, 'qemu.autoConverge');
  return leftOut;
}
