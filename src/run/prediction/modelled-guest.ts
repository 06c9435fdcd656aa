import { orderNames, orderRegistry } from '../../core/migration/order/orders.ts';
import type { Plan } from '../../core/migration/plan.ts';
import { looksWithinRounds } from '../../core/migration/stop/stops.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { linearCurve } from '../../model/curve.ts';
import type { ModelInput } from '../../model/predictor.ts';
import { curveOf } from '../../workload/dirty-curve.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { meanSpeed } from '../../workload/program-clock.ts';
import { modelledPages } from '../modelled-pages.ts';
import { estimatesHeat, repeatsItself, sampledGuest, sampledOrders } from './sampled-guest.ts';

export function zeroPagesOf({ guest }: MigrationSpec): number {
  const { program, pages, zeroPages } = guest;
  if (program.kind !== 'dirty-curve') return zeroPages;
  return zeroPages + (program.zeroSampledPages * pages) / program.sampledPages;
}

/**
 * The guest in the terms of the model.
 * @param cpuSpeed how fast its program goes for want of CPU time; 1: there is enough
 * @param slotNs what a page takes to leave
 * @param assumes to which is added where it differs from the scenario's
 */
export function modelledGuest(
  spec: MigrationSpec,
  cpuSpeed: number,
  slotNs: Nanos,
  assumes: string[],
): ModelInput['guest'] {
  const { guest, plan } = spec;
  const { program } = guest;
  const speed = meanSpeed(guest.bursts) * cpuSpeed;
  if (guest.bursts) assumes.push('bursts of the guest are spread evenly');
  if (cpuSpeed < 1) assumes.push('a guest short of CPU time writes less in proportion');
  const isSampled =
    program.kind === 'dirty-curve'
      ? sendsPagesUnlikeOthers(plan)
      : repeatsItself(guest)
        ? sendsPagesUnlikeOthers(plan) || looksWithinRounds(plan.stop)
        : plan.skip || typeof plan.clear === 'object';
  const sampled = isSampled ? sampledGuest(spec, cpuSpeed) : undefined;
  if (sampled) {
    if (estimatesHeat(plan)) assumes.push('write rates are known');
    if (!sampledOrders.includes(plan.order)) assumes.push(`order ${plan.order} is by increasing write rates`);
    return sampled;
  }
  switch (program.kind) {
    case 'dirty-curve': {
      const dirtyPages = curveOf(program, guest.pages);
      return { kind: 'curve', dirtyPages: (ns) => dirtyPages(ns * speed), isRandom: true };
    }
    case 'sequential':
    case 'saturating': {
      const dirtyPages = linearCurve(program.writesPerSecond * speed, program.pages);
      return { kind: 'curve', dirtyPages, isRandom: false };
    }
    case 'stream': {
      const copiesPerSecond = (speed * program.pagesPerFrame * NANOS_PER_SECOND) / program.framePeriodNs;
      return {
        kind: 'curve',
        dirtyPages: linearCurve(copiesPerSecond, program.bufferPages),
        isRandom: false,
      };
    }
    default:
      return independentPages(spec, cpuSpeed, slotNs, assumes);
  }
}

/** Whether it matters when in a round a page is sent, or which pages are. */
function sendsPagesUnlikeOthers({ clear, skip, defer }: Plan): boolean {
  return clear !== 'round' || skip || defer !== null;
}

/** Pages written independently at their long-run rates, which the order and the deferral are taken to know. */
function independentPages(
  spec: MigrationSpec,
  cpuSpeed: number,
  slotNs: Nanos,
  assumes: string[],
): ModelInput['guest'] {
  const { plan } = spec;
  if (estimatesHeat(plan)) assumes.push('write rates are known');
  if (typeof plan.clear === 'object') assumes.push('dirty bits are cleared once a round');
  if (plan.skip) assumes.push('no page is skipped');
  if (orderRegistry.get(plan.order).dependsOnOthers && !orderNames.includes(plan.order)) {
    assumes.push(`order ${plan.order} goes by the heats of pages alone`);
  }
  return {
    kind: 'rates',
    ...modelledPages(spec, cpuSpeed, slotNs),
    clear: plan.clear === 'page' ? 'page' : 'round',
  };
}
