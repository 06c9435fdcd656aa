import { inputLimits } from '../core/input-limits.ts';
import { DEEPEST_BUCKET_BYTES } from '../core/link/bucket.ts';
import { orderRegistry } from '../core/migration/order/orders.ts';
import type { Plan } from '../core/migration/plan.ts';
import {
  type Bytes,
  type BytesPerSecond,
  formatDuration,
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
  const usedPages = guest.pages - guest.zeroPages;
  const program = resolveProgram(guest.program, usedPages, file);
  const needed = pagesNeeded(program);
  const where = guest.zeroPages === 0 ? 'guest.pages' : 'guest.pages − guest.zeroPages';
  insist(needed <= usedPages, where, `at least ${needed}, which the program uses`, usedPages);
  if (program.kind === 'stream') {
    const { cpuPerFrameNs, framePeriodNs } = program;
    const fits = cpuPerFrameNs <= framePeriodNs;
    insist(fits, 'guest.program.cpuPerFrame', 'at most the frame', formatDuration(cpuPerFrameNs));
    const isPossible = program.pagesPerFrame <= framePeriodNs;
    insist(isPossible, 'guest.program.pagesPerFrame', 'at most one a nanosecond', program.pagesPerFrame);
  }
  const countsWrites = program.kind !== 'stream' && program.kind !== 'dirty-curve';
  insist(
    guest.cpuPerWrite === 0 || countsWrites,
    'guest.cpuPerWrite',
    program.kind === 'stream' ? '0: a stream has cpuPerFrame' : '0: a dirty-curve does not count writes',
    formatDuration(guest.cpuPerWrite),
  );
  const { name, pages, zeroPages, pageSize: pageSizeBytes, device } = guest;
  return {
    ...{ name, pages, zeroPages, pageSizeBytes },
    program,
    heartbeatPeriodNs: program.kind === 'stream' ? program.framePeriodNs : guest.heartbeat,
    cpuPerWriteNs: guest.cpuPerWrite,
    ...(device && { device }),
  };
}

/** The part of a scenario, or of a request, that is about the policy. */
interface PlanDocument {
  readonly link: Pick<LinkDocument, 'rate' | 'stopRate' | 'depth' | 'overhead' | 'capacity'>;
  readonly migration: PolicyDocument;
}

/** The policy with which a guest of these pages migrates. */
export function resolvePlan(
  { link, migration }: PlanDocument,
  { pages, pageSizeBytes, device }: Pick<GuestSpec, 'pages' | 'pageSizeBytes' | 'device'>,
  insist: Insist,
): Omit<Plan, 'seed'> {
  const pageBytes = pageSizeBytes + link.overhead;
  const rateBytesPerSecond = link.rate;
  const stopRateBytesPerSecond = link.stopRate === undefined ? link.rate : link.stopRate;
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
    ...resolveTimeout(migration, pages * pageSizeBytes, pages * pageBytes, rateBytesPerSecond, insist),
    ...(onTimeout !== undefined && { onTimeout }),
    stopTimeoutNs: stopTimeout ?? defaultStopTimeout(pages * pageBytes, device, stopRateBytesPerSecond),
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

const SHALLOWEST_DEFAULT_BYTES = 64 * 1024;
const COVERED_LATENESS_NS = 10 * NANOS_PER_MILLISECOND;

/** A bucket deep enough that a sender that wakes 10 ms late loses nothing of its rate. */
function defaultDepth(...bytesPerSecond: readonly (BytesPerSecond | null)[]): Bytes {
  const most = Math.max(...bytesPerSecond.map((each) => each ?? 0));
  const coveringBytes = Math.ceil((most * COVERED_LATENESS_NS) / NANOS_PER_SECOND);
  return Math.min(Math.max(coveringBytes, SHALLOWEST_DEFAULT_BYTES), DEEPEST_BUCKET_BYTES);
}
