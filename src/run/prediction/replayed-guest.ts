import { inputLimits } from '../../core/input-limits.ts';
import type { WriteRates } from '../../core/migration/heat.ts';
import type { MigrationResult } from '../../core/migration/migration-result.ts';
import type { Nanos } from '../../core/units.ts';
import type { ModelPrediction } from '../../model/predictor.ts';
import { type ReplayedStop, replayedCourse, replayedWithoutStop } from '../../model/replayed-course.ts';
import { type ReplayedGuest, type ReplayedLink, ReplayedWorld } from '../../model/replayed-world.ts';
import { TooLarge } from '../../platform/failure.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { ProgramClock } from '../../workload/program-clock.ts';
import { activityOf, type GuestSpec, writeRatesOf } from '../../workload/programs.ts';
import { recordedNs, type TraceSpec } from '../../workload/trace.ts';
import { driveSync } from '../drive.ts';

/** So many instants at most, and fewer where one takes much work; but no fewer than these. */
const STARTS_MAX = 64;
const STARTS_MIN = 5;
/** Of what a world calls its work: in all, and in one migration alone. */
const WORK_ENOUGH = 2 ** 25;
const WORK_MAX = 2 ** 27;

/** The fractional parts of k·φ are spread evenly, however many are taken (Knuth, TAOCP 3, §6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** A guest that replays a recording. */
export interface RecordedSpec extends MigrationSpec {
  readonly guest: GuestSpec & { readonly program: TraceSpec };
}

export function isRecorded(spec: MigrationSpec): spec is RecordedSpec {
  return spec.guest.program.kind === 'trace';
}

/**
 * The migration of a recorded guest, from the recording itself: the steps of the plan are carried out on what it writes, from
 * instants spread evenly over it, since a guest may begin at any.
 * @param cpuSpeed how fast its program goes for want of CPU time
 * @param assumes to which is added what was replayed
 * @throws TooLarge the guest has more pages than that is done for
 */
export function replayedPrediction(
  spec: RecordedSpec,
  link: ReplayedLink & ReplayedStop,
  cpuSpeed: number,
  assumes: string[],
): ModelPrediction {
  const { modelledPages } = inputLimits;
  if (spec.guest.pages > modelledPages) {
    throw new TooLarge('guest.pages', `at most ${modelledPages} to be predicted one by one`);
  }
  const rates = writeRatesOf(spec.guest);
  const begins = beginningsOf(spec.guest);
  const results: MigrationResult[] = [];
  let work = 0;
  const isEnough = () => results.length >= STARTS_MIN && work + work / results.length > WORK_ENOUGH;
  while (results.length < begins.length && !isEnough()) {
    const seed = results.length;
    const world = new ReplayedWorld(
      guestFrom(spec.guest, begins[seed]!, { cpuSpeed, seed, rates }),
      link,
      WORK_MAX,
    );
    const result = driveSync({ ...spec.plan, seed }, world);
    if (!world.isWorkedOut) return replayedWithoutStop(result, null);
    results.push(result);
    work += world.work;
  }
  const { speed = 1 } = spec.guest.program;
  if (speed !== 1) assumes.push(`another load is the recording at ${speed} times its speed`);
  if (cpuSpeed < 1) {
    assumes.push(
      `a guest short of CPU time replays its recording at ${cpuSpeed.toPrecision(2)} of its speed`,
    );
  }
  const instants =
    results.length === 1
      ? 'one instant'
      : `${results.length} instants, spread evenly, and times are medians; what is said for 99 % is the largest of them`;
  const others = results.filter(({ outcome }) => outcome !== 'completed').length;
  const exceptions =
    others > 0 && others < results.length ? `; from ${others} of them it does not converge` : '';
  assumes.push(`the recording is replayed from ${instants}${exceptions}`);
  return replayedCourse(results, link);
}

/** When in its recording the guest may begin; bursts have a phase besides, so that one instant is not one migration. */
function beginningsOf({ program, bursts }: RecordedSpec['guest']): readonly Nanos[] {
  const { startNs } = program;
  if (startNs !== undefined && !bursts) return [startNs];
  const lengthNs = recordedNs(program);
  return Array.from(
    { length: STARTS_MAX },
    (_, index) => startNs ?? Math.floor((((index + 0.5) * GOLDEN) % 1) * lengthNs),
  );
}

function guestFrom(
  guest: RecordedSpec['guest'],
  startNs: Nanos,
  { cpuSpeed, seed, rates }: { readonly cpuSpeed: number; readonly seed: number; readonly rates: WriteRates },
): ReplayedGuest {
  const begun = { ...guest, seed, program: { ...guest.program, startNs } };
  const activity = activityOf(begun);
  if (activity.kind !== 'timeline') throw new TypeError('a recording is a timeline');
  const clock = new ProgramClock(begun);
  return {
    ...{ pages: guest.pages, zeroPages: guest.zeroPages, heartbeatPeriodNs: guest.heartbeatPeriodNs },
    lastWrites: activity.lastWrites,
    programNs: (ranNs) => clock.programNs(ranNs * cpuSpeed),
    writeRates: () => rates,
  };
}
