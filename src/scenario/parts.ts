import { inputLimits } from '../core/input-limits.ts';
import { orderRegistry } from '../core/migration/order/orders.ts';
import type { Plan } from '../core/migration/plan.ts';
import {
  type Bytes,
  type BytesPerSecond,
  formatDuration,
  formatSize,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
} from '../core/units.ts';
import { type GuestSpec, pagesNeeded } from '../workload/programs.ts';
import type { Insist } from './checked.ts';
import type { GuestDocument } from './guest-schema.ts';
import type { LinkDocument, PolicyDocument } from './migration-schema.ts';
import { resolveProgram } from './program.ts';
import { defaultStopTimeout, resolveTimeout } from './time-limits.ts';

/** A guest in the terms of the worlds. */
export function resolveGuest(
  guest: GuestDocument,
  file: string | undefined,
  insist: Insist,
): Omit<GuestSpec, 'seed'> {
  const pages = pagesOf(guest, insist);
  const usedPages = pages - guest.zeroPages;
  const program = resolveProgram(guest.program, { usedPages, pageSizeBytes: guest.pageSize }, file);
  const needed = pagesNeeded(program);
  const size = guest.memory === undefined ? 'guest.pages' : 'guest.memory / guest.pageSize';
  const where = guest.zeroPages === 0 ? size : `${size} − guest.zeroPages`;
  insist(needed <= usedPages, where, `at least ${needed}, which the program uses`, usedPages);
  if (program.kind === 'stream') {
    const { cpuPerFrameNs, framePeriodNs } = program;
    const fits = cpuPerFrameNs <= framePeriodNs;
    insist(fits, 'guest.program.cpuPerFrame', 'at most the frame', formatDuration(cpuPerFrameNs));
    const isPossible = program.pagesPerFrame <= framePeriodNs;
    insist(isPossible, 'guest.program.pagesPerFrame', 'at most one a nanosecond', program.pagesPerFrame);
  }
  if ('writesPerSecond' in program) {
    const { writesPerSecond: most } = inputLimits;
    const isPossible = program.writesPerSecond <= most;
    const found = `${Math.round(program.writesPerSecond)} pages a second`;
    insist(isPossible, 'guest.program.dirtyRate', `at most ${most} pages a second`, found);
  }
  const countsWrites = program.kind !== 'stream' && program.kind !== 'dirty-curve';
  insist(
    guest.cpuPerWrite === 0 || countsWrites,
    'guest.cpuPerWrite',
    program.kind === 'stream' ? '0: a stream has cpuPerFrame' : '0: a dirty-curve does not count writes',
    formatDuration(guest.cpuPerWrite),
  );
  const { name, zeroPages, pageSize: pageSizeBytes, device } = guest;
  return {
    ...{ name, pages, zeroPages, pageSizeBytes },
    program,
    heartbeatPeriodNs: program.kind === 'stream' ? program.framePeriodNs : guest.heartbeat,
    cpuPerWriteNs: guest.cpuPerWrite,
    ...(device && { device }),
  };
}

/** N, of a guest that is given by its pages or by its memory. */
function pagesOf({ pages, memory = 0, pageSize }: GuestDocument, insist: Insist): number {
  if (pages !== undefined) return pages;
  const { guestPages } = inputLimits;
  const isWhole = memory % pageSize === 0;
  insist(isWhole, 'guest.memory', `whole pages of ${formatSize(pageSize)}`, `${memory} bytes`);
  const isPossible = memory >= 2 * pageSize && memory <= guestPages * pageSize;
  const possible = `from 2 to ${guestPages} pages of ${formatSize(pageSize)}, at most ${formatSize(guestPages * pageSize)}`;
  insist(isPossible, 'guest.memory', possible, formatSize(memory));
  return Math.max(2, Math.ceil(memory / pageSize));
}

/** The part of a scenario, or of a request, that is about the policy. */
interface PlanDocument {
  readonly link: Pick<LinkDocument, 'rate' | 'stopRate' | 'depth' | 'overhead' | 'capacity'>;
  readonly migration: PolicyDocument;
  readonly fleet?: readonly { readonly count: number }[] | undefined;
}

/** The policy with which a guest of these pages migrates. */
export function resolvePlan(
  { link, migration, fleet }: PlanDocument,
  { pages, pageSizeBytes, device }: Pick<GuestSpec, 'pages' | 'pageSizeBytes' | 'device'>,
  insist: Insist,
): Omit<Plan, 'seed'> {
  const pageBytes = pageSizeBytes + link.overhead;
  const { isElastic, rateBytesPerSecond, stopRateBytesPerSecond } = resolveRates(link, insist);
  const members = fleet?.reduce((sum, { count }) => sum + count, 0) ?? 1;
  /** What time-outs expect it to have: of elastic migrations, each an equal part. */
  const expected = (bytesPerSecond: BytesPerSecond | null) =>
    isElastic && bytesPerSecond !== null ? bytesPerSecond / members : bytesPerSecond;
  const depthBytes =
    link.depth ?? Math.max(defaultDepth(rateBytesPerSecond, stopRateBytesPerSecond), pageBytes);
  const room = `room for a page and its header, ${pageBytes} bytes`;
  insist(depthBytes >= pageBytes, 'link.depth', room, depthBytes);
  const capacityBytesPerSecond = link.capacity ?? Number.POSITIVE_INFINITY;
  const fits = (bytesPerSecond: BytesPerSecond | null) => (bytesPerSecond ?? 0) <= capacityBytesPerSecond;
  insist(fits(rateBytesPerSecond), 'link.rate', 'at most link.capacity', rateBytesPerSecond);
  insist(fits(stopRateBytesPerSecond), 'link.stopRate', 'at most link.capacity', stopRateBytesPerSecond);
  const most = orderRegistry.get(migration.order).pagesMax ?? Number.POSITIVE_INFINITY;
  insist(pages <= most, 'migration.order', `an order that takes ${pages} pages`, migration.order);
  insist(!migration.skip || migration.clear !== 'page', 'migration.skip', 'false when clear is page', true);
  const { order, heat, defer, clear, skip, stop, onTimeout, stopTimeout, verify } = migration;
  const windowNs = defer?.window ?? migration.window;
  const windows = migration.observe / windowNs;
  const { observedWindows } = inputLimits;
  insist(windows <= observedWindows, 'migration.observe', `at most ${observedWindows} windows`, windows);
  const deferred =
    defer && (defer.count === undefined ? { threshold: defer.threshold! } : { count: defer.count });
  return {
    ...{ pages, pageBytes, order, heat },
    defer: deferred ?? null,
    ...{ clear, skip, stop },
    ...resolveTimeout(
      migration,
      pages * pageSizeBytes,
      pages * pageBytes,
      expected(rateBytesPerSecond),
      insist,
    ),
    ...(onTimeout !== undefined && { onTimeout }),
    stopTimeoutNs:
      stopTimeout ?? defaultStopTimeout(pages * pageBytes, device, expected(stopRateBytesPerSecond)),
    ...(isElastic && { isElastic }),
    rateBytesPerSecond,
    stopRateBytesPerSecond,
    depthBytes,
    observeNs: migration.observe,
    windowNs,
    halfLifeNs: migration.halfLife,
    verify,
    ...(device && { device }),
  };
}

/** b and b_d. Of an elastic migration both are the capacity, and the ledger says how much of it is there. */
function resolveRates({ rate, stopRate, capacity }: PlanDocument['link'], insist: Insist) {
  if (rate !== 'elastic') {
    const stopRateBytesPerSecond = stopRate === undefined ? rate : stopRate;
    return { isElastic: false, rateBytesPerSecond: rate, stopRateBytesPerSecond };
  }
  const isShared = capacity !== undefined;
  insist(isShared, 'link.capacity', 'a rate, of which elastic migrations have their part', capacity);
  insist(stopRate === undefined, 'link.stopRate', 'nothing, where link.rate is elastic', stopRate);
  const all = capacity ?? 1;
  return { isElastic: true, rateBytesPerSecond: all, stopRateBytesPerSecond: all };
}

const SHALLOWEST_DEFAULT_BYTES = 64 * 1024;
/** A burst of more would be long even on a fast link. */
const DEEPEST_DEFAULT_BYTES = 8 * 1024 * 1024;
const COVERED_LATENESS_NS = 10 * NANOS_PER_MILLISECOND;

/** A bucket deep enough that a sender that wakes 10 ms late loses nothing of its rate. */
function defaultDepth(...bytesPerSecond: readonly (BytesPerSecond | null)[]): Bytes {
  const most = Math.max(...bytesPerSecond.map((each) => each ?? 0));
  const coveringBytes = Math.ceil((most * COVERED_LATENESS_NS) / NANOS_PER_SECOND);
  return Math.min(Math.max(coveringBytes, SHALLOWEST_DEFAULT_BYTES), DEEPEST_DEFAULT_BYTES);
}
