import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import type { StopTime } from '../../model/downtime-at-rate.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { CpuSupply } from './cpu-supply.ts';
import type { LinkSupply } from './link-supply.ts';

/** A part of the downtime that no b_d shortens. */
export interface FixedPart {
  /** The key of the scenario that it comes from. */
  readonly key: string;
  readonly ns: Nanos;
}

/** The stop as virtual time carries it out: pages and device state over the link, and what passes besides. */
export interface ModelledStop {
  readonly times: readonly StopTime[];
  readonly fixed: readonly FixedPart[];
  /** What preparing so many pages takes of the sender's time; no b_d shortens it either. */
  preparingNs(pages: number): Nanos;
}

/**
 * The link and the sender's processor work at the same time, on one page and on the next ones, so the slower one counts:
 *
 *   t_d = max(preparing n pages, sending (n·(P + H) + S − saved) at b_d) + fixed parts
 *
 * S being the state of the devices. `saved` is the bucket's depth where something else than the bucket limited the live
 * rounds, so that it is full when the guest stops.
 */
export function modelledStop(
  spec: MigrationSpec,
  link: LinkSupply,
  supply: CpuSupply,
  live: BytesPerSecond,
): ModelledStop {
  const { plan, cpu, linkLatencyNs = 0 } = spec;
  const { pageBytes, depthBytes, rateBytesPerSecond, device } = plan;
  const senderWasBusy = live >= supply.mostBytesPerSecond(link.liveBytesPerSecond(rateBytesPerSecond));
  const savedBytes = rateBytesPerSecond === null || live < rateBytesPerSecond ? depthBytes : 0;
  const stateBytes = device?.stateBytes ?? 0;
  const preparingNs = (pages: number) => supply.stoppedNs(pages * cpu.cpuPerPageNs, senderWasBusy);
  const fixed = [
    { key: 'sender.cpuPerHandover', ns: supply.stoppedNs(cpu.cpuPerHandoverNs, senderWasBusy) },
    { key: 'guest.device.time', ns: device?.timeNs ?? 0 },
    // The last page, the answer to it and the commit; the question for a hash of all memory, and its answer.
    { key: 'link.latency', ns: (plan.verify === 'full' ? 5 : 3) * linkLatencyNs },
    { key: '--machine', ns: machineNs(spec) },
  ].filter(({ ns }) => ns > 0);
  const fixedNs = fixed.reduce((sum, { ns }) => sum + ns, 0);
  return {
    times: link.passNs.map(
      (passNs): StopTime =>
        (bytes, stopRateBytesPerSecond) => {
          const sentBytes = bytes + stateBytes;
          const sendingNs = Math.max(
            passNs(sentBytes, Number.POSITIVE_INFINITY),
            passNs(Math.max(0, sentBytes - savedBytes), stopRateBytesPerSecond),
          );
          return Math.max(preparingNs(bytes / pageBytes), sendingNs) + fixedNs;
        },
    ),
    fixed,
    preparingNs,
  };
}

/** What the machine takes for the pause and the hand-over, at the medians of its profile; without one, nothing. */
function machineNs({ guest, plan, machine }: MigrationSpec): Nanos {
  if (!machine) return 0;
  const { dirtyScanNsPerMebibyte, pauseNs, stateNs, verifyNsPerMebibyte, commitNs, resumeNs } = machine.costs;
  const mebibytes = (guest.pages * guest.pageSizeBytes) / 2 ** 20;
  const perMebibyte =
    (dirtyScanNsPerMebibyte?.median ?? 0) + (plan.verify === 'full' ? verifyNsPerMebibyte.median : 0);
  return pauseNs.median + stateNs.median + commitNs.median + resumeNs.median + mebibytes * perMebibyte;
}
