import { freeCpu } from '../src/core/cpu/cpu-plan.ts';
import { type MigrationResult, partsOf } from '../src/core/migration/migration-result.ts';
import type { Plan } from '../src/core/migration/plan.ts';
import type { Nanos } from '../src/core/units.ts';
import { HEADER_BYTES } from '../src/core/wire/frames.ts';
import { drive } from '../src/run/drive.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import type { MigrationSpec } from '../src/workload/migration-spec.ts';
import { vmWorld } from '../src/worlds/vm/vm-world.ts';
import { LinuxSite } from './linux-guest/linux-site.ts';

const MiB = 2 ** 20;
const RUNS = 12;
/** What a client's gap may have beyond the downtime. */
const AIM_NS = 50e6;

/** A Linux guest whose Redis is written to from outside while it moves. */
export async function linux(): Promise<void> {
  const site = await LinuxSite.create();
  const process = await site.startDestination();
  const beyondNs: number[] = [];
  try {
    for (const verify of [...Array<'checksums'>(RUNS).fill('checksums'), 'full'] as const) {
      const setup = setupOf(verify);
      const world = await vmWorld(setup, { destination: process }, site.boot);
      try {
        const course = await drive(setup.plan, world);
        print(course, site);
        beyondNs.push(beyondOf(course));
      } finally {
        await world.close();
      }
    }
    const within = beyondNs.filter((ns) => ns <= AIM_NS).length;
    const [least, most] = [Math.min(...beyondNs), Math.max(...beyondNs)];
    console.log(
      `gap at most the downtime + ${ms(AIM_NS)}: ${within} of ${beyondNs.length}; beyond it, ${ms(quantile(beyondNs, 0.5))} (${ms(least)} to ${ms(most)})`,
    );
  } finally {
    await process.end();
    await site.end();
  }
}

function print(course: MigrationResult, site: LinuxSite): void {
  const { outcome, reason, stop, rounds, downtimeNs, downtimeParts, totalNs, verified, outage } = course;
  const { writes, failed, lost, repeated, retransmissions } = site.guest!.measurements!;
  const { networkNs, answerNs } = site.guest!.outageParts;
  const parts = Object.entries(partsOf(downtimeParts)).map(([name, ns]) => `${name.slice(0, -2)} ${ms(ns)}`);
  console.log(
    [
      `${outcome} (${reason}), ${rounds.length} rounds, ${stop.pages} pages left, memory ${verified.memory}`,
      `downtime ${ms(downtimeNs)} (${parts.join(', ')}), total ${ms(totalNs)}`,
      `client's longest gap ${ms(outage?.longestGapNs ?? 0)}, ${ms(beyondOf(course))} more than the downtime; network moved in ${ms(networkNs)} before it, first answer ${ms(answerNs)} after it`,
      `writes: ${writes} answered, ${failed} failed, ${lost} lost, ${repeated} repeated; segments sent again ${retransmissions}`,
    ].join('\n  '),
  );
}

/** By how much the client's longest gap is more than the downtime. */
function beyondOf({ outage, downtimeNs }: MigrationResult): Nanos {
  return outage!.longestGapNs - downtimeNs;
}

/** 192 MiB; nothing is known of what its programs write. */
function setupOf(verify: Plan['verify']): MigrationSpec {
  const guest = {
    name: 'linux',
    pages: (192 * MiB) / 4096,
    zeroPages: 0,
    pageSizeBytes: 4096,
    program: { kind: 'classes', classes: [] },
    heartbeatPeriodNs: 5e6,
    cpuPerWriteNs: 0,
    seed: 1,
  } as const;
  const plan: Plan = {
    pages: guest.pages,
    pageBytes: guest.pageSizeBytes + HEADER_BYTES,
    order: 'address',
    heat: 'estimated',
    defer: null,
    clear: 'page',
    skip: false,
    stop: { rule: 'rounds', rounds: 3 },
    timeoutNs: null,
    stopTimeoutNs: 30e9,
    rateBytesPerSecond: 64 * MiB,
    stopRateBytesPerSecond: 128 * MiB,
    depthBytes: 512 * 1024,
    observeNs: 0,
    windowNs: 40e6,
    halfLifeNs: 8e9,
    verify,
    seed: guest.seed,
  };
  return { guest, plan, cpu: freeCpu };
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`;
}
