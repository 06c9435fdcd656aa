//# migrate
import { migrate, PageSet } from 'switchover';
import { loadExperiment, scenarioFile, seeded } from 'switchover/scenario';

const [cell] = loadExperiment(scenarioFile('01-first-migration')).cells;
const migration = migrate({ ...seeded(cell, 1).plan, order: 'address' });

// It asks for one step after the other, and is told what came of each.
console.log(migration.next().value.kind); // → track
const dirty = PageSet.all(6500);
const { value } = migration.next({ kind: 'dirty', now: 0, dirty, windowNs: 0 });
console.log(value.kind, value.pages.length); // → send 6500

//# drive
import { drive } from 'switchover';
import { worldFactory } from 'switchover/run';
import { loadExperiment, scenarioFile, seeded } from 'switchover/scenario';

const [cell] = loadExperiment(scenarioFile('01-first-migration')).cells;
const setup = seeded(cell, 1);
const worlds = await worldFactory('virtual');
const world = await worlds.create(setup);
const steps = [];
const result = await drive(setup.plan, world, (step) => steps.push(step.kind));
await world.close();
await worlds.close();
console.log(result.outcome, steps.at(-1)); // → completed hand over

//# registerOrder
import { orderByProbability, registerOrder } from 'switchover';

const everyOther = registerOrder({
  name: 'every-other',
  describe: 'the even pages by number, then the odd ones',
  heat: 'none',
  dependsOnOthers: false,
  order: (dirty) => {
    const pages = dirty.toArray();
    return Uint32Array.of(
      ...pages.filter((page) => page % 2 === 0),
      ...pages.filter((page) => page % 2 === 1),
    );
  },
});
const { order } = orderByProbability(everyOther, new Float64Array(5), 1);
console.log([...order].join(' ')); // → 0 2 4 1 3

//# byProbability
import { byProbability, orderByProbability, registerOrder } from 'switchover';

// Items by their write probabilities in one slot: here the hottest goes first, the others stay as they are.
const rule = (probabilities) => {
  const hottest = probabilities.indexOf(Math.max(...probabilities));
  return Uint32Array.of(hottest, ...[...probabilities.keys()].filter((item) => item !== hottest));
};
const hottestFirst = registerOrder({
  name: 'hottest-first',
  describe: 'the hottest page first, the others in any order',
  heat: 'probability',
  dependsOnOthers: true,
  order: byProbability(rule),
});
console.log(orderByProbability(hottestFirst, Float64Array.of(0.1, 0.9, 0.2), 1).order[0]); // → 1

//# orderByProbability, expectedDirty
import { expectedDirty, orderByProbability } from 'switchover';

const probabilities = Float64Array.of(0.9, 0.001, 0.2);
const { order, expectedDirtyPages } = orderByProbability('threshold', probabilities, 1);
console.log([...order].join(' ')); // → 0 1 2
console.log(expectedDirtyPages.toFixed(3)); // → 1.201
console.log(expectedDirty(probabilities, Uint32Array.of(2, 1, 0)).toFixed(3)); // → 1.390

//# orderRegistry
import { orderRegistry } from 'switchover';

console.log(orderRegistry.names.slice(0, 3).join(', ')); // → address, random, lru
console.log(orderRegistry.get('lru').describe); // → the page whose last write is oldest goes first

//# registerStopRule, stopRule
import { registerStopRule, stopRule } from 'switchover';

// In a scenario: stop: { rule: little-left, limit: 20ms }. There and here, what is left out has its default.
const littleLeft = registerStopRule({
  name: 'little-left',
  describe: 'little is left, or so many rounds are done',
  defaults: { limitNs: 50e6, rounds: 8 },
  counts: ['rounds'],
  withinRounds: false,
  rule: ({ limitNs, rounds }) => {
    return ({ pendingBytes, bandwidthBytesPerSecond, rounds: done }) => {
      const leftNs = (pendingBytes * 1e9) / bandwidthBytesPerSecond;
      if (leftNs <= limitNs) return { decision: 'stop', reason: 'little is left' };
      return done.length < rounds ? undefined : { decision: 'give up', reason: `${rounds} rounds are done` };
    };
  },
});
const spec = littleLeft({ limitNs: 20e6 });
console.log(JSON.stringify(spec)); // → {"rule":"little-left","limitNs":20000000,"rounds":8}

const ask = stopRule(spec);
const progress = { rounds: [], roundEnded: true, pendingPages: 10, pendingBytes: 41_120, elapsedNs: 1e9 };
const seen = { ...progress, sentBytes: 1e6, bandwidthBytesPerSecond: 6_250_000, guestBytes: 1e6 };
console.log(ask(seen).reason); // → little is left

//# stopRuleRegistry
import { stopRuleRegistry } from 'switchover';

console.log(stopRuleRegistry.names.slice(0, 3).join(', ')); // → rounds, downtime, xen
console.log(stopRuleRegistry.get('xen').defaults.pages); // → 50

//# use
import { orderRegistry, use } from 'switchover';

// A module that calls registerOrder; the threads that carry out a sweep load it, too.
await use(['examples/hottest-twentieth.js']);
console.log(orderRegistry.names.includes('hottest-twentieth')); // → true

//# BadDefinition
import { BadDefinition, registerOrder } from 'switchover';

try {
  registerOrder({
    name: 'lru',
    describe: 'mine',
    heat: 'none',
    dependsOnOthers: false,
    order: (dirty) => dirty.toArray(),
  });
} catch (cause) {
  console.log(cause instanceof BadDefinition); // → true
  console.log(cause.message); // → page order 'lru': name: expected one that is not taken, found "lru"
}

//# UnknownName
import { orderByProbability, UnknownName } from 'switchover';

try {
  orderByProbability('coldest', new Float64Array(2), 1);
} catch (cause) {
  console.log(cause instanceof UnknownName, cause.message.slice(0, 33)); // → true no page order is called 'coldest'
}

//# RegisteredCodeFailed
import { orderByProbability, registerOrder } from 'switchover';

const forgetful = registerOrder({
  name: 'forgetful',
  describe: 'all pages but the first, which is wrong',
  heat: 'none',
  dependsOnOthers: false,
  order: (dirty) => dirty.toArray().subarray(1),
});
try {
  orderByProbability(forgetful, new Float64Array(2), 1);
} catch (cause) {
  console.log(cause.message.split(': ')[1]); // → page 0 is missing
}

//# PageSet
import { PageSet } from 'switchover';

const dirty = PageSet.of(100, [3, 5, 64]);
dirty.addAll(PageSet.of(100, [7]));
dirty.delete(5);
console.log(dirty.count(), dirty.has(7)); // → 3 true
console.log([...dirty.toArray()].join(' ')); // → 3 7 64

//# Random
import { Random } from 'switchover';

// The same seed gives the same numbers on every machine.
console.log(Random.seeded(7).below(100) === Random.seeded(7).below(100)); // → true
console.log([...Random.seeded(1).shuffle(Uint32Array.of(1, 2, 3))].join(' ')); // → 3 1 2

//# parseDuration, formatDuration
import { formatDuration, parseDuration } from 'switchover';

console.log(parseDuration('20ms')); // → 20000000
console.log(parseDuration('20')); // → undefined
console.log(formatDuration(281_400_000)); // → 281 ms

//# parseSize, formatSize
import { formatSize, parseSize } from 'switchover';

console.log(parseSize('4KiB')); // → 4096
console.log(formatSize(26_624_000)); // → 25.4 MiB

//# parseRate, formatRate
import { formatRate, parseRate } from 'switchover';

console.log(parseRate('50Mbit/s')); // → 6250000
console.log(formatRate(6_250_000)); // → 50 Mbit/s

//# version
import { version } from 'switchover';

console.log(/^\d+\.\d+\.\d+/.test(version)); // → true
