import { deferrable } from '../core/migration/deferral.ts';
import { known } from '../core/migration/heat.ts';
import { slotsPerWindow } from '../core/migration/plan.ts';
import { linearCurve } from '../core/model/curve.ts';
import { expectedOrder } from '../core/model/expected-order.ts';
import { type ModelInput, type ModelPrediction, predictCourse } from '../core/model/predictor.ts';
import { Random } from '../core/random.ts';
import { NANOS_PER_SECOND } from '../core/units.ts';
import { Failure } from '../worlds/failure.ts';
import { curveOf } from '../worlds/guests/dirty-curve.ts';
import { writesPerSecondOf } from '../worlds/guests/programs.ts';
import type { WorldSetup } from '../worlds/world.ts';

/** What the model foresees, and what it takes for granted that the scenario says otherwise. */
export interface Foreseen extends ModelPrediction {
  readonly assumes: readonly string[];
}

/** Breaks ties of the expected order, from a stream that no world uses. */
const MODEL_STREAM = 4;

/** The model's answer for one seeded scenario. @throws Failure the link has no rate. */
export function foresee(setup: WorldSetup): Foreseen {
  const { guest, plan } = setup;
  const { rateBytesPerSecond, stopRateBytesPerSecond } = plan;
  if (rateBytesPerSecond === null || stopRateBytesPerSecond === null) {
    throw new Failure('link.rate: unlimited has no meaning for the model; give the link a rate');
  }
  const assumes: string[] = [];
  const prediction = predictCourse({
    pages: guest.pages,
    zeroPages: zeroPagesOf(setup),
    pageSizeBytes: guest.pageSizeBytes,
    overheadBytes: plan.pageBytes - guest.pageSizeBytes,
    rateBytesPerSecond,
    stopRateBytesPerSecond,
    guest: modelledGuest(setup, assumes),
    stop: plan.stop,
    timeoutNs: plan.timeoutNs,
  });
  return { ...prediction, assumes };
}

function zeroPagesOf({ guest }: WorldSetup): number {
  const { program, pages, zeroPages } = guest;
  if (program.kind !== 'dirty-curve') return zeroPages;
  return zeroPages + (program.zeroSampledPages * pages) / program.sampledPages;
}

function modelledGuest(setup: WorldSetup, assumes: string[]): ModelInput['guest'] {
  const { guest, plan } = setup;
  const { program } = guest;
  switch (program.kind) {
    case 'dirty-curve':
      return { kind: 'curve', dirtyPages: curveOf(program, guest.pages) };
    case 'sequential':
    case 'saturating':
      if (plan.clear !== 'round') assumes.push('dirty bits cleared by round');
      return { kind: 'curve', dirtyPages: linearCurve(program.writesPerSecond, program.pages) };
    case 'stream': {
      if (plan.clear !== 'round') assumes.push('dirty bits cleared by round');
      const copiesPerSecond = (program.pagesPerFrame * NANOS_PER_SECOND) / program.framePeriodNs;
      return { kind: 'curve', dirtyPages: linearCurve(copiesPerSecond, program.bufferPages) };
    }
    default:
      return independentPages(setup, assumes);
  }
}

/** Pages written independently at their long-run rates, which the order and the deferral are taken to know. */
function independentPages(setup: WorldSetup, assumes: string[]): ModelInput['guest'] {
  const { guest, plan } = setup;
  const writesPerSecond = writesPerSecondOf(guest);
  const heat = known(writesPerSecond, plan.windowNs);
  const context = {
    heat,
    slotsPerWindow: slotsPerWindow(plan),
    random: Random.seeded(plan.seed, MODEL_STREAM),
  };
  if (guest.program.kind === 'trace') assumes.push('every page written independently at its recorded rate');
  if (plan.heat === 'estimated') assumes.push('write rates known');
  if (typeof plan.clear === 'object') assumes.push('dirty bits cleared by round');
  if (plan.skip) assumes.push('no page skipped');
  return {
    kind: 'rates',
    writesPerSecond,
    order: expectedOrder(plan.order, guest.pages, context),
    deferred: plan.defer ? deferrable(plan.defer, heat, guest.pages) : null,
    clear: plan.clear === 'page' ? 'page' : 'round',
  };
}
