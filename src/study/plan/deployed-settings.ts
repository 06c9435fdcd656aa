import type { Plan } from '../../core/migration/plan.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../core/units.ts';
import type { ScenarioCell } from '../../scenario/scenario.ts';
import type { Target } from '../../scenario/target.ts';
import { clauseOf } from './plan-problem.ts';

/** What says the same to the systems that people use, as far as they can be told. */
export interface DeployedSettings {
  /** QEMU's monitor (qapi/migration.json), from 8.2 on. */
  readonly qmp: readonly { readonly execute: string; readonly arguments: Readonly<Record<string, number>> }[];
  /** libvirt's, where DOMAIN is to be filled in; its --timeout would suspend the guest, and break the promise. */
  readonly virsh: readonly string[];
  /** KubeVirt's MigrationPolicy, without the selectors that say for whom it is. */
  readonly kubevirt: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec: Readonly<Record<string, string | number | boolean>>;
  };
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/**
 * QEMU stops the guest when what is pending takes less than downtime-limit at the bandwidth of the switchover: told that
 * this is b_d, the limit is that of the target. Without being told it takes the bandwidth that it has measured, b, so that
 * the same pages are a limit of L·b_d/b.
 */
export function deployedSettings(
  name: string,
  { plan, guest }: Pick<ScenarioCell, 'plan' | 'guest'>,
  target: Target,
): DeployedSettings {
  const rate = plan.rateBytesPerSecond!;
  const stopRate = plan.stopRateBytesPerSecond!;
  const pendingBytes = pendingAtStop(plan, target);
  const limitAt = (bytesPerSecond: number) =>
    Math.max(1, Math.floor(((pendingBytes / bytesPerSecond) * NANOS_PER_SECOND) / NANOS_PER_MILLISECOND));
  const totalNs = clauseOf(target, 'total')?.limitNs ?? plan.timeoutNs;
  const memoryGiB = Math.max(1, Math.ceil((guest.pages * guest.pageSizeBytes) / GIB));
  return {
    qmp: [
      {
        execute: 'migrate-set-parameters',
        arguments: {
          'max-bandwidth': rate,
          'downtime-limit': limitAt(stopRate),
          'avail-switchover-bandwidth': stopRate,
        },
      },
    ],
    virsh: [
      `virsh migrate-setspeed DOMAIN ${Math.max(1, Math.ceil(rate / MIB))}`,
      `virsh migrate-setmaxdowntime DOMAIN ${limitAt(rate)}`,
    ],
    kubevirt: {
      apiVersion: 'migrations.kubevirt.io/v1alpha1',
      kind: 'MigrationPolicy',
      metadata: { name: name.toLowerCase().replace(/[^a-z0-9-]+/g, '-') },
      spec: {
        bandwidthPerMigration: String(rate),
        ...(totalNs !== null && {
          completionTimeoutPerGiB: Math.max(1, Math.ceil(totalNs / NANOS_PER_SECOND / memoryGiB)),
        }),
        maxDowntimeMs: limitAt(rate),
        allowAutoConverge: false,
        allowPostCopy: false,
      },
    },
  };
}

/** What the plan's rule stops for, or all that b_d carries within the target's limit. */
function pendingAtStop(
  {
    stop,
    rateBytesPerSecond,
    stopRateBytesPerSecond,
  }: Pick<Plan, 'stop' | 'rateBytesPerSecond' | 'stopRateBytesPerSecond'>,
  target: Target,
): number {
  if (stop.rule === 'downtime') return (stop.limitNs * rateBytesPerSecond!) / NANOS_PER_SECOND;
  const { limitNs } = clauseOf(target, 'downtime') ?? target[0]!;
  return (limitNs * stopRateBytesPerSecond!) / NANOS_PER_SECOND;
}
