import { isContended } from '../../core/cpu/cpu-plan.ts';
import { isLumpable } from '../../core/migration/lumped/lumped-layout.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import { insistOnMemory } from '../../platform/memory-room.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { World } from '../world.ts';
import { writtenStrata } from './lumped-memory.ts';
import { LumpedWorld } from './lumped-world.ts';
import { VirtualWorld } from './virtual-world.ts';

/** Fewer pages are known one by one: that costs little, and says more. */
const LUMPED_FROM_PAGES = 2 ** 18;

/** What the page-exact world needs for a page: when its bit was cleared, its places in the layout and in an order, and bits. */
const BYTES_A_PAGE = 32;

/** A world in virtual time answers at once. */
export interface SyncVirtualWorld extends World {
  carryOut(step: Step): StepResult;
}

/**
 * Virtual time, page by page or in counts.
 * @param isWatched whether somebody will ask who ran when, and what left in windows: that is kept
 * @throws Failure the plan cannot be carried out in virtual time; this host has not the memory for pages drawn one by one
 */
export function virtualWorld(spec: MigrationSpec, isWatched = true): SyncVirtualWorld {
  if (isLumped(spec)) return new LumpedWorld(spec, isWatched);
  const { pages } = spec.guest;
  if (pages >= LUMPED_FROM_PAGES) insistOnMemory(pages * BYTES_A_PAGE, `${pages} pages drawn one by one`);
  return new VirtualWorld(spec, isWatched);
}

/**
 * Whether a migration is in counts: of many pages, whose differences are those of strata, and when only the link is in the way.
 * Of a sweep, which pages are dirty is known only between harvests of all.
 */
function isLumped({ guest, plan, cpu, antagonists = [] }: MigrationSpec): boolean {
  if (guest.pages < LUMPED_FROM_PAGES) return false;
  const isPaced = plan.rateBytesPerSecond !== null && plan.stopRateBytesPerSecond !== null;
  const isFree = isPaced && !isContended(cpu) && antagonists.length === 0;
  const isAlike = guest.program.kind !== 'saturating' || (plan.clear === 'round' && plan.defer === null);
  return isFree && isAlike && isLumpable(plan) && writtenStrata(guest) !== undefined;
}
