// A task set under CBS and EDF, checked against what its reservation promises: node task-set.js
import { firstFitDecreasing, leastSupply, Overload, schedulableInside, schedule } from 'switchover/sched';

// Times in ms. The sender of a migration may use 3 of every 10; two periodic tasks have deadlines; a hog has the rest.
const sender = { name: 'sender', budget: 3, period: 10, jobs: 'backlogged' };
const hog = { name: 'hog', budget: 5, period: 20, jobs: 'backlogged' };
const tasks = [
  { name: 'video', wcet: 2, period: 8 },
  { name: 'control', wcet: 1, period: 5 },
];
const horizon = 2000;
const { slices, finishes } = schedule({
  scheduler: 'cbs-hard',
  processors: 1,
  horizon,
  servers: [sender, hog],
  tasks,
});

// EDF with ΣU ≤ 1: no job is late.
for (const { name, period } of tasks) {
  const late = finishes[name].filter((at, job) => at > (job + 1) * period);
  console.log(`${name}: ${finishes[name].length} jobs, ${late.length} late`);
}

// CPU time that the sender had before an instant, and the least that it had in any window of a length.
const own = slices.filter(({ name }) => name === sender.name);
const had = new Float64Array(horizon + 1);
for (const { start, end } of own) for (let at = start; at < end; at++) had[at + 1] = 1;
for (let at = 1; at <= horizon; at++) had[at] += had[at - 1];
const least = (window) => {
  let least = window;
  for (let start = 0; start + window <= horizon; start++)
    least = Math.min(least, had[start + window] - had[start]);
  return least;
};
const reservation = { budgetNs: sender.budget, periodNs: sender.period };
for (const window of [7, 14, 20, 50, 100, 500]) {
  const bound = leastSupply(reservation, window);
  console.log(`in any ${window} ms: ${least(window)} ms, at least ${bound} promised`);
  if (least(window) < bound) throw new Error('the reservation was not kept');
}

// What fits inside the reservation, and what does not fit the processor.
const inside = (workNs) => schedulableInside([{ workNs, periodNs: 40 }], reservation);
console.log(`inside the reservation, of every 40 ms: 9 ms ${inside(9)}, 10 ms ${inside(10)}`);
const asked = [
  ...tasks.map(({ name, wcet, period }) => ({ name, budget: wcet, period })),
  sender,
  { ...hog, budget: 8 },
];
const placement = firstFitDecreasing(asked, 1);
if (!placement.admitted) console.log(placement.why);
try {
  schedule({
    scheduler: 'cbs-hard',
    processors: 1,
    horizon,
    servers: [sender, { ...hog, budget: 8 }],
    tasks,
  });
} catch (cause) {
  if (cause instanceof Overload) console.log('so there is no such schedule');
}
