import type { PlanProblem } from './plan-problem.ts';

/** What the scenario says and the figures of a plan do not depend on, and what they do not know. */
export function leftOutOfPlan({
  subject,
  cell,
  machine,
}: Pick<PlanProblem, 'subject' | 'cell' | 'machine'>): readonly string[] {
  const isScenario = subject.kind === 'scenario';
  const { guest, plan, antagonists, deltas, native, share } = cell;
  const isThere = (kind: string) => antagonists.some((each) => each.kind === kind);
  const all: readonly (readonly [applies: boolean, what: string])[] = [
    [
      !machine,
      `what hashing, messages and the hand-over take on a machine (${isScenario ? '--machine' : 'machine in the configuration'})`,
    ],
    [guest.program.kind === 'trace', 'what the program does that was not recorded'],
    [plan.verify === 'full' && !machine, 'migration.verify full'],
    [isThere('memory-hog'), 'background memory-hog'],
    [isThere('garbage'), 'background garbage'],
    [(share?.changes.length ?? 0) > 0, 'link.changes'],
    [deltas, 'vm.delta'],
    [native.xbzrleCacheBytes !== null, 'qemu.xbzrle'],
    [native.multifdChannels > 0, 'qemu.multifd'],
    [native.autoConverge, 'qemu.autoConverge'],
    [
      isScenario,
      'in the settings for QMP, virsh and KubeVirt: the page order, deferral, live rounds and CPU reservations, and that b_d is kept, which QEMU only believes',
    ],
  ];
  return all.filter(([applies]) => applies).map(([, what]) => what);
}
