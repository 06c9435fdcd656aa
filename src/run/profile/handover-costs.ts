import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRecord } from '../../core/migration/record.ts';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import { experimentOf, scenarioOf, seeded } from '../../scenario/scenario.ts';
import { machineFolder } from '../../worlds/vm/qemu.ts';
import { ScriptGuest } from '../../worlds/vm/script-guest.ts';
import { Vcpu } from '../../worlds/vm/vcpu.ts';
import type { WorldName } from '../../worlds/world-names.ts';
import type { MigrationRun } from '../migration-run.ts';
import { run } from '../run.ts';
import { sampledCost } from './sampled-cost.ts';

const MEBIBYTE = 2 ** 20;

/** Enough for a 95 % quantile; fewer where they take longer than there is time. */
const RUNS_MAX = 40;

/** A guest with next to nothing to do: what its downtime takes is the hand-over. */
const scenario = {
  guest: { pages: 4096, program: { kind: 'sequential', pages: 1, writesPerSecond: 1 } },
  link: { rate: 'unlimited' },
  migration: { order: 'address', observe: '0s', stop: { rule: 'rounds', rounds: 1 } },
};

/** In the order of time, of one migration. */
interface Instants {
  trackedAtNs: Nanos;
  roundSentAtNs: Nanos;
  stopSentAtNs: Nanos;
}

/** What the hand-overs of a world take, part by part. @throws Failure none is completed in so much time, or one fails */
export async function handoverCosts(world: WorldName, limitMs: number) {
  const parts = (await migrations(world, limitMs)).map(({ record }) => record.downtimeParts);
  const perMebibyte = (ns: Nanos) => (ns * MEBIBYTE) / memoryBytes();
  return {
    dirtyScanNsPerMebibyte: sampledCost(parts.map(({ dirtyScanNs }) => perMebibyte(dirtyScanNs))),
    pauseNs: sampledCost(parts.map(({ memoryNs }) => memoryNs)),
    stateNs: sampledCost(parts.map(({ stateNs }) => stateNs)),
    verifyNsPerMebibyte: sampledCost(parts.map(({ verifyNs }) => perMebibyte(verifyNs))),
    commitNs: sampledCost(parts.map(({ commitNs }) => commitNs)),
    resumeNs: sampledCost(parts.map(({ resumeNs }) => resumeNs)),
  };
}

/** The sender's CPU time, as it records itself where it is dispatched. */
export async function senderCosts(limitMs: number) {
  const all = await migrations('threads', limitMs, { cpu: { scheduler: 'fair' }, verify: 'checksums' });
  return {
    senderMessageNs: sampledCost(all.map(({ handoverCpuNs }) => handoverCpuNs / MESSAGES)),
    sendNsPerMebibyte: sampledCost(
      all.map(({ roundCpuNs, record }) => (roundCpuNs * MEBIBYTE) / record.rounds[0]!.bytes),
    ),
  };
}

/** The sender writes the digest, hears the answer, and writes the commit. */
const MESSAGES = 3;

/** QEMU's own migration of the same guest, from STOP to RESUME. */
export async function qemuStopCost(limitMs: number) {
  const all = await migrations('qemu-native', limitMs);
  return { stopToResumeNs: sampledCost(all.map(({ record }) => record.downtimeNs)) };
}

const IDLE_SAMPLES = 10;
const IDLE_MS = 200;
const BOOT_MS = 5_000;

/** The share of a processor that a machine's own thread uses while its guest writes nothing but heartbeats, to a client. */
export async function idleShareCost() {
  const spec = seeded(experimentOf(scenarioOf(scenario, { name: 'profile' })).cells[0]!, 1);
  const folder = machineFolder(randomUUID(), 'source');
  const guest = await ScriptGuest.boot(spec, { folder, outlives: false });
  try {
    const { machine } = guest;
    await machine.run();
    await machine.makesSteps(BOOT_MS);
    const vcpu = await Vcpu.of(machine.qemu);
    const shares: number[] = [];
    for (let i = 0; i < IDLE_SAMPLES; i++) {
      const [usedNs, beganAtNs] = [vcpu.usedNs(), clockNs()];
      await sleep(IDLE_MS);
      shares.push((vcpu.usedNs() - usedNs) / (clockNs() - beganAtNs));
    }
    return sampledCost(shares);
  } finally {
    await guest.end();
  }
}

function memoryBytes(): number {
  return scenario.guest.pages * 4096;
}

interface Measured {
  readonly record: MigrationRecord;
  readonly roundCpuNs: Nanos;
  readonly handoverCpuNs: Nanos;
}

async function migrations(
  world: WorldName,
  limitMs: number,
  { cpu = {}, verify = 'full' }: { readonly cpu?: object; readonly verify?: 'checksums' | 'full' } = {},
): Promise<readonly Measured[]> {
  const migration = { ...scenario.migration, verify };
  const experiment = experimentOf(
    scenarioOf({ ...scenario, migration, cpu, runs: RUNS_MAX }, { name: 'profile' }),
  );
  const measured: Measured[] = [];
  const interrupted = AbortSignal.timeout(limitMs);
  let instants: Instants = { trackedAtNs: 0, roundSentAtNs: 0, stopSentAtNs: 0 };
  await run(experiment, {
    world,
    ensembles: false,
    interrupted,
    listener: {
      starts() {
        instants = { trackedAtNs: 0, roundSentAtNs: 0, stopSentAtNs: 0 };
        return (step, { now }) => {
          if (step.kind === 'track') instants.trackedAtNs = now;
          if (step.kind !== 'send') return;
          if (instants.roundSentAtNs === 0) instants.roundSentAtNs = now;
          instants.stopSentAtNs = now;
        };
      },
      ended(record, { world: carriedOut, pause }) {
        if (record.outcome === 'cancelled') return;
        if (record.outcome !== 'completed') throw new Failure(`world ${world}: ${record.reason}`);
        const { trackedAtNs, roundSentAtNs, stopSentAtNs } = instants;
        const roundCpuNs = senderCpuNs(carriedOut, trackedAtNs, roundSentAtNs);
        const handoverCpuNs = senderCpuNs(carriedOut, stopSentAtNs, pause.resumedAtNs!);
        measured.push({ record, roundCpuNs, handoverCpuNs });
      },
    },
  });
  if (measured.length === 0) throw new Failure(`world ${world}: no migration in ${limitMs / 1000} s`);
  return measured;
}

/** How long the sender had a processor between two instants. */
function senderCpuNs(world: MigrationRun['world'], fromNs: Nanos, untilNs: Nanos): Nanos {
  return world
    .slices()
    .filter(({ name }) => name === 'sender')
    .reduce((sum, { startNs, endNs }) => {
      return sum + Math.max(0, Math.min(endNs, untilNs) - Math.max(startNs, fromNs));
    }, 0);
}
