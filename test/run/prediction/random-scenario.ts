import fc from 'fast-check';
import { orderNames } from '../../../src/core/migration/order/orders.ts';
import { HEADER_BYTES } from '../../../src/core/wire/frames.ts';

/**
 * Scenarios as somebody might write them, of all that a scenario can say and virtual time can carry out. Times are drawn
 * in proportion to what a copy of the memory takes, so that there is something to decide.
 */
export type RandomScenario = Readonly<Record<string, unknown>> & {
  readonly guest: { readonly program: { readonly kind: string } };
  readonly migration?: unknown;
  readonly link?: unknown;
};

/** Evenly, which fc.double is not: it draws all doubles alike, and most of them are next to 0. */
const share = (low: number, high: number) =>
  fc.integer({ min: 0, max: 1e6 }).map((millionths) => low + ((high - low) * millionths) / 1e6);
/** Evenly in the logarithm. */
const between = (low: number, high: number) => share(0, 1).map((part) => low * (high / low) ** part);
const ns = (value: number) => `${Math.max(1, Math.round(value))}ns`;
const bytesPerSecond = (value: number) => `${Math.max(1, Math.round(value))}B/s`;
/** Mostly not. */
const seldom = <T>(value: fc.Arbitrary<T>, weight = 1) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });

interface Size {
  readonly pages: number;
  readonly used: number;
  readonly zeroPages: number;
  readonly pageBytes: number;
  readonly rate: number;
  readonly copyNs: number;
}

const size = (leastPages: number, mostPages: number): fc.Arbitrary<Size> =>
  fc
    .record({
      pages: between(leastPages, mostPages).map(Math.round),
      zeroShare: fc.oneof(fc.constant(0), share(0, 0.6)),
      pageBytes: fc.constantFrom(512, 4096, 4096, 65536),
      copyNs: between(500e6, 50e9),
    })
    .map(({ pages, zeroShare, pageBytes, copyNs }) => {
      const zeroPages = Math.floor(pages * zeroShare);
      const rate = (pages * (pageBytes + HEADER_BYTES) * 1e9) / copyNs;
      return { pages, zeroPages, used: pages - zeroPages, pageBytes, rate, copyNs };
    });

/** Programs that dirty so many pages a second at first, compared with what the link carries. */
function program({ used, pages, copyNs }: Size): fc.Arbitrary<unknown> {
  const pagesPerSecond = (pages * 1e9) / copyNs;
  const pressure = between(0.003, 5).map((share) => share * pagesPerSecond);
  const working = share(0.02, 1).map((share) => Math.ceil(share * used));
  const classes = fc
    .record({
      hot: share(0.01, 0.6),
      warm: share(0, 0.4),
      pressure,
      cold: between(1e-3, 0.3),
    })
    .map(({ hot, warm, pressure, cold }) => {
      const [hotPages, warmPages] = [Math.ceil(hot * used), Math.floor(warm * used)];
      const each = pressure / hotPages;
      const listed = [
        { pages: Math.min(used, hotPages), writesPerSecond: each },
        { pages: Math.min(warmPages, used - hotPages), writesPerSecond: each * cold },
      ];
      return { kind: 'classes', classes: listed.filter((one) => one.pages > 0) };
    });
  const zipf = fc
    .record({ pages: working, exponent: fc.constantFrom(0.5, 0.99, 1.2), writesPerSecond: pressure })
    .map((one) => ({ kind: 'zipf', ...one }));
  const sweep = fc
    .record({
      kind: fc.constantFrom('sequential', 'saturating'),
      pages: working,
      writesPerSecond: pressure,
    })
    .map((one) => one);
  const curve = fc.record({ pressure, working, bend: between(0.1, 3) }).map(({ pressure, working, bend }) => {
    const points = [0.01, 0.03, 0.1, 0.3, 1, 3].map((share) => {
      const at = share * bend * copyNs;
      return [ns(at), -working * Math.expm1((-pressure * at) / 1e9 / working)];
    });
    return { kind: 'dirty-curve', points };
  });
  const stream = fc
    .record({ frame: between(5e6, 100e6), pressure, share: share(0.1, 0.8) })
    .filter(() => used >= 12)
    .map(({ frame, pressure, share }) => {
      const buffers = Math.max(1, Math.floor(share * (used - 2)));
      const pagesPerFrame = Math.max(1, Math.min(buffers, Math.round((pressure * frame) / 1e9)));
      return { kind: 'stream', frame: ns(frame), cpuPerFrame: ns(frame / 10), pagesPerFrame, buffers };
    });
  const all = [classes, classes, zipf, sweep, curve];
  return fc.oneof(...all, ...(used >= 12 ? [stream] : []));
}

/** Every stop rule, its times in proportion to a copy. */
function stop({ copyNs, pages }: Size): fc.Arbitrary<unknown> {
  const limit = between(0.003, 1).map((share) => share * copyNs);
  const time = between(1, 20).map((copies) => ns(copies * copyNs));
  const few = fc.integer({ min: 1, max: Math.min(1_000_000, Math.max(1, Math.round(pages / 4))) });
  return fc.oneof(
    fc.record({ rule: fc.constant('rounds'), rounds: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ rule: fc.constant('downtime'), limit: limit.map(ns) }),
    fc.record({ rule: fc.constant('xen'), rounds: fc.integer({ min: 1, max: 8 }), pages: few }),
    fc.record({ rule: fc.constant('phaul'), rounds: fc.integer({ min: 1, max: 8 }), pages: few }),
    fc.record({
      rule: fc.constant('cloud-hypervisor'),
      limit: limit.map(ns),
      timeout: time,
      onTimeout: fc.constantFrom('cancel', 'ignore'),
    }),
    fc
      .record({
        limit,
        delay: between(0.05, 2),
        abort: between(1, 20),
        steps: fc.integer({ min: 1, max: 10 }),
      })
      .map(({ limit, delay, abort, steps }) => ({
        ...{ rule: 'nova-steps', limit: ns(limit), steps },
        ...{ delayPerGiB: ns((delay * copyNs) / 2), abortPerGiB: ns((abort * copyNs) / 2) },
      })),
    fc
      .record({ limit, poll: between(0.02, 0.5), polls: fc.integer({ min: 1, max: 5 }) })
      .map(({ limit, poll, polls }) => ({
        ...{ rule: 'proxmox-doubling', limit: ns(limit), polls },
        ...{ poll: ns(poll * copyNs), nearPoll: ns((poll * copyNs) / 10) },
      })),
    fc
      .record({ limit, every: between(0.1, 3), steps: fc.integer({ min: 1, max: 7 }) })
      .map(({ limit, every, steps }) => ({
        ...{ rule: 'kubevirt-ramp', first: ns(limit), last: ns(limit * 7), steps },
        every: ns(every * copyNs),
      })),
    fc
      .record({ limit, patience: between(0.3, 4), switchover: between(0.5, 6) })
      .map(({ limit, patience, switchover }) => ({
        ...{ rule: 'kubevirt-stall', first: ns(limit), limit: ns(limit * 3) },
        ...{ patience: ns(patience * copyNs), switchover: ns(switchover * copyNs) },
        poll: ns(copyNs / 20),
      })),
  );
}

const reservation = (share: fc.Arbitrary<number>) =>
  fc.record({ share, period: between(2e6, 50e6) }).map(({ share, period }) => ({
    budget: ns(Math.max(1100, share * period)),
    period: ns(period),
  }));

/** Who has which part of a processor, if anybody needs any. */
function processors({ copyNs, pages }: Size): fc.Arbitrary<Record<string, unknown>> {
  const slotNs = copyNs / pages;
  const cpu = fc.record({
    scheduler: fc.constantFrom('none', 'fair', 'cbs-soft', 'cbs-hard', 'deadline'),
    processors: fc.constantFrom(1, 1, 2),
    hogs: fc.constantFrom(0, 0, 1, 3),
    guest: reservation(share(0.1, 0.4)),
    sender: reservation(share(0.05, 0.5)),
    reserved: fc.constantFrom('both', 'sender', 'guest'),
    cpuPerPage: between(0.02, 1.5).map((share) => ns(share * slotNs)),
    cpuPerHandover: fc.constantFrom('0ms', '2ms', '30ms'),
  });
  return seldom(cpu, 2).map((drawn) => {
    if (!drawn) return {};
    const { scheduler, processors, hogs, guest, sender, reserved, cpuPerPage, cpuPerHandover } = drawn;
    const keeps = scheduler.startsWith('cbs') || scheduler === 'deadline';
    return {
      cpu: { scheduler, processors },
      hogs,
      sender: {
        ...{ cpuPerPage, cpuPerHandover },
        ...(keeps && reserved !== 'guest' ? { reservation: sender } : {}),
      },
      reservation: keeps && reserved !== 'sender' ? guest : undefined,
    };
  });
}

const background = ({ rate, copyNs }: Size) =>
  fc
    .record({
      cross: seldom(share(0.1, 0.7)),
      slow: seldom(between(0.3, 2)),
      drop: seldom(
        fc.record({
          every: between(0.05, 1),
          length: share(0.05, 0.5),
          rate: fc.constantFrom(0, 0.3),
        }),
      ),
      burst: seldom(fc.record({ every: between(0.02, 0.5), factor: fc.constantFrom(0.2, 3) })),
      noise: seldom(between(1e5, 2e7)),
    })
    .map(({ cross, slow, drop, burst, noise }) => {
      const capacity = 1.5 * rate;
      const list: unknown[] = [];
      if (cross) list.push({ kind: 'cross-traffic', rate: bytesPerSecond(cross * capacity) });
      if (slow) list.push({ kind: 'slow-destination', rate: bytesPerSecond(slow * rate) });
      if (drop) {
        const every = drop.every * copyNs;
        const length = ns(drop.length * every);
        list.push({ kind: 'link-drop', every: ns(every), length, rate: bytesPerSecond(drop.rate * rate) });
      }
      if (burst) {
        const every = burst.every * copyNs;
        list.push({ kind: 'guest-burst', every: ns(every), length: ns(every / 4), factor: burst.factor });
      }
      if (noise) list.push({ kind: 'timer-noise', mean: ns(noise) });
      return { list, capacity: cross ? bytesPerSecond(capacity) : undefined };
    });

const policy = (of: Size) =>
  fc
    .record({
      order: fc.constantFrom(...orderNames.filter((name) => name !== 'exact')),
      heat: fc.constantFrom('known', 'known', 'estimated'),
      defer: seldom(
        fc.oneof(
          fc.record({ threshold: share(0.05, 0.95) }),
          fc.record({ count: fc.integer({ min: 0, max: Math.round(of.pages / 3) }) }),
        ),
        3,
      ),
      clear: fc.constantFrom('page', 'page', 'round', 'round', `chunk(${Math.ceil(of.pages / 7)})`),
      skip: fc.boolean(),
      stop: stop(of),
      maxDowntime: seldom(between(0.01, 2).map((copies) => ns(copies * of.copyNs))),
      onTimeout: seldom(fc.constant('stop')),
      timeout: between(1.2, 15).map((copies) => ns(copies * of.copyNs)),
    })
    .map(({ skip, stop, maxDowntime, ...rest }) => ({
      ...{ observe: '200ms', window: '20ms' },
      ...rest,
      stop: { ...(stop as object), ...(maxDowntime ? { maxDowntime } : {}) },
      skip: skip && rest.clear !== 'page',
    }));

/** @param mostPages of its guest; the more, the longer a run takes */
export function randomScenario(mostPages: number, leastPages = 128): fc.Arbitrary<RandomScenario> {
  const scenario = size(leastPages, mostPages).chain((of) =>
    fc
      .record({
        program: program(of),
        migration: policy(of),
        taken: processors(of),
        antagonists: background(of),
        stopRate: between(0.5, 4),
        device: seldom(fc.record({ state: between(1e3, 1e7), time: between(1e5, 1e9) })),
        fleet: seldom(fc.integer({ min: 2, max: 4 })),
        apart: between(0.01, 2),
        deep: fc.constantFrom(2, 2, 2, undefined),
      })
      .map(({ program, migration, taken, antagonists, stopRate, device, fleet, apart, deep }) => {
        const { hogs, reservation, ...shares } = taken as { hogs?: number; reservation?: unknown };
        const rates = { rate: bytesPerSecond(of.rate), stopRate: bytesPerSecond(stopRate * of.rate) };
        const needed = Math.max(1, stopRate) * of.rate;
        return {
          guest: {
            ...{ pages: of.pages, zeroPages: of.zeroPages, pageSize: `${of.pageBytes}B`, program },
            ...(reservation ? { reservation } : {}),
            ...(device ? { device: { state: `${Math.round(device.state)}B`, time: ns(device.time) } } : {}),
          },
          link: {
            ...rates,
            ...(deep ? { depth: `${deep * (of.pageBytes + HEADER_BYTES)}B` } : {}),
            ...(fleet ? { capacity: bytesPerSecond(needed * 1.7) } : {}),
            ...(!fleet && antagonists.capacity ? { capacity: bytesPerSecond(needed * 1.5) } : {}),
          },
          migration,
          ...shares,
          background: [...antagonists.list, ...(hogs ? [{ kind: 'cpu-hog', count: hogs }] : [])].filter(
            (each) => fleet === undefined || (each as { kind: string }).kind !== 'cross-traffic',
          ),
          ...(fleet ? { fleet: [{ count: fleet, every: ns(apart * of.copyNs) }] } : {}),
        };
      }),
  );
  // Evenly over what there is, not above all at its ends.
  return fc.noBias(scenario) as fc.Arbitrary<RandomScenario>;
}
