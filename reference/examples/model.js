//# predictMigration
import { predictMigration, saturatingCurve } from 'switchover/model';

const { course, stop } = predictMigration({
  pages: 6500,
  zeroPages: 0,
  pageSizeBytes: 4096,
  overheadBytes: 16,
  rateBytesPerSecond: 6_250_000,
  stopRateBytesPerSecond: 6_250_000,
  guest: { kind: 'curve', dirtyPages: saturatingCurve(5000, 1000) },
  stop: { rule: 'downtime', limitNs: 500e6 },
  timeoutNs: 60e9,
});
console.log(course.converges, course.rounds); // → false 90
console.log(stop); // → null

//# expectedOrder, portionsOfPages
import { Random } from 'switchover';
import { expectedOrder, portionsOfPages } from 'switchover/model';

const heat = { see: () => {}, of: (page) => page / 10 };
const order = expectedOrder('increasing', 4, { heat, slotsPerWindow: 1, random: Random.seeded(1) });
console.log([...order(new Float64Array(4).fill(1), 1)].join(' ')); // → 0 1 2 3
const portions = portionsOfPages(Float64Array.of(0, 1, 2, 3), 1, (page) => page === 3);
console.log([...portions.deferred].join(' ')); // → 0 0 0 1

//# heldBack, orderOfStrata
import { heldBack, orderOfStrata, predictMigration } from 'switchover/model';

const windowNs = 40e6;
const hot = { pages: 2 ** 20, writesPerSecond: 5, zero: false };
const cold = { pages: 2 ** 28 - 2 ** 20, writesPerSecond: 1e-4, zero: false };
const strata = heldBack([hot, cold], { threshold: 0.15 }, windowNs);
const context = { windowNs, slotsPerWindow: (windowNs / 1e9) * (12.5e9 / 4096) };
const { course } = predictMigration({
  pages: 2 ** 28,
  zeroPages: 0,
  pageSizeBytes: 4096,
  overheadBytes: 0,
  rateBytesPerSecond: 12.5e9,
  stopRateBytesPerSecond: 12.5e9,
  guest: { kind: 'rates', clear: 'page', ...orderOfStrata('increasing')(strata, context) },
  stop: { rule: 'rounds', rounds: 3 },
  timeoutNs: null,
});
console.log(course.roundPages.map(Math.round).join(' ')); // → 267386880 1167973 10211

//# PoissonBinomial
import { PoissonBinomial } from 'switchover/model';

const dirty = new PoissonBinomial(Float64Array.of(0.5, 0.5, 0.5, 0.5));
console.log(dirty.mean, dirty.variance); // → 2 1
console.log(dirty.quantile(0.99)); // → 4

//# linearCurve, saturatingCurve, measuredCurve
import { linearCurve, measuredCurve, saturatingCurve } from 'switchover/model';

console.log(linearCurve(1000, 500)(1e9)); // → 500
console.log(Math.round(saturatingCurve(1000, 500)(1e9))); // → 432
const points = [
  { periodNs: 1e9, pages: 300 },
  { periodNs: 2e9, pages: 400 },
];
console.log(measuredCurve(points, 450)(1.5e9)); // → 350

//# geometricMigration, simGridMigration
import { geometricMigration, simGridMigration } from 'switchover/model';

const guest = { guestBytes: 4e9, workingSetBytes: 1e9, limitNs: 300e6 };
const { rounds, downtimeNs } = geometricMigration({
  ...guest,
  rateBytesPerSecond: 1e9,
  dirtyBytesPerSecond: 5e8,
});
console.log(rounds, downtimeNs / 1e6); // → 3 250
console.log(simGridMigration(4e9, 1e9, 0.9) === null); // → false
