import { freeCpu } from '../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../src/core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../src/core/units.ts';
import { migrateVirtually } from '../src/run/ensemble.ts';
import { predictedMachine } from '../src/scenario/machine-profile.ts';
import { machineProfileFile } from '../src/scenario/scenario-file.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { migratedThrough } from '../test/fixtures/migrated-through.ts';
import { smallSetup } from '../test/fixtures/setup.ts';

const EACH_WAY_MS = [5, 25, 100];
const RUNS = 10;
const VIRTUAL_RUNS = 200;

/**
 * The downtime over links with a latency: threads through a proxy that delays every byte, against n(P + H)/b_d and 1.6 round
 * trips, and against virtual time with that latency and the costs of the profile that ships.
 */
export async function latency(): Promise<void> {
  console.log(`${RUNS} migrations of threads each way of the link; medians, in ms`);
  console.log('  each way  round trip  downtime  n(P+H)/b_d + 1.6 round trips + 10  virtual  difference');
  for (const eachWayMs of EACH_WAY_MS) {
    const seen: MigrationResult[] = [];
    for (let seed = 1; seed <= RUNS; seed++) {
      const wayOf = ({ way, bytes }: Parameters<WireDoes>[0], wire: Parameters<WireDoes>[1]) => {
        wire.delay(eachWayMs);
        wire.send(way, bytes);
      };
      seen.push(await migratedThrough(specOf(seed), wayOf));
    }
    const median = (of: (result: MigrationResult) => number, results = seen) =>
      quantile(results.map(of), 0.5) / NANOS_PER_MILLISECOND;
    const { plan } = specOf(1);
    const roundTripNs = 2 * eachWayMs * NANOS_PER_MILLISECOND;
    const boundOf = ({ stop }: MigrationResult) =>
      (stop.bytes * NANOS_PER_SECOND) / plan.stopRateBytesPerSecond! +
      1.6 * roundTripNs +
      10 * NANOS_PER_MILLISECOND;
    const machine = predictedMachine(machineProfileFile('typical'), 'threads');
    const virtual = Array.from({ length: VIRTUAL_RUNS }, (_, index) =>
      migrateVirtually({ ...specOf(index + 1), machine, linkLatencyNs: roundTripNs / 2 }),
    );
    const downtimeNs = (result: MigrationResult) => result.downtimeNs;
    const [measured, predicted] = [median(downtimeNs), median(downtimeNs, virtual)];
    const kept = seen.filter((result) => result.downtimeNs <= boundOf(result)).length;
    console.log(
      `  ${String(eachWayMs).padStart(8)}  ${median(({ link }) => link.roundTripNs!).toFixed(1)}  ${measured.toFixed(1)}  ${median(boundOf).toFixed(1)} (kept in ${kept})  ${predicted.toFixed(1)}  ${(predicted - measured).toFixed(1)}`,
    );
  }
}

type WireDoes = Parameters<typeof migratedThrough>[1];

function specOf(seed: number) {
  const { guest, plan } = smallSetup({ plan: { verify: 'checksums', observeNs: 0, seed } });
  return { guest: { ...guest, seed }, plan, cpu: freeCpu };
}
