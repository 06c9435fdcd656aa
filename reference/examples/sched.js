//# schedule
import { schedule } from 'switchover/sched';

const { slices, finishes } = schedule({
  scheduler: 'cbs-hard',
  processors: 1,
  horizon: 20,
  servers: [{ name: 'sender', budget: 3, period: 10, jobs: 'backlogged' }],
  tasks: [{ name: 'control', wcet: 1, period: 5 }],
});
console.log(
  slices
    .map(({ name, start, end }) => `${name} ${start}–${end}`)
    .slice(0, 2)
    .join(', '),
); // → control 0–1, sender 1–4
console.log(finishes.control.join(' ')); // → 1 6 11 16

//# Overload
import { Overload, schedule } from 'switchover/sched';

const tasks = [
  { name: 'a', wcet: 3, period: 4 },
  { name: 'b', wcet: 2, period: 4 },
];
try {
  schedule({ scheduler: 'cbs-hard', processors: 1, horizon: 10, servers: [], tasks });
} catch (cause) {
  console.log(cause instanceof Overload); // → true
}

//# idleServer, wake, charge, replenish, sleep
import { charge, idleServer, replenish, sleep, wake } from 'switchover/sched';

const server = idleServer({ budgetNs: 3e6, periodNs: 10e6 });
wake('hard', server, 0);
console.log(server.phase, server.deadlineNs); // → ready 10000000
charge('hard', server, 3e6, 3e6); // it has run until 3 ms: its budget is used up
console.log(server.phase); // → throttled
replenish('hard', server, 10e6);
console.log(server.phase, server.remainingNs, server.deadlineNs); // → ready 3000000 20000000
sleep(server);
console.log(server.phase); // → idle

//# Processor
import { Processor } from 'switchover/sched';

const finished = [];
const processor = new Processor('hard', { finished: (entity, atNs) => finished.push([entity, atNs]) });
const server = processor.addServer({ budgetNs: 3, periodNs: 10 });
const task = processor.addTask(5);
processor.arrive(server, 4);
processor.arrive(task, 1);
processor.runUntil(20);
console.log(JSON.stringify(finished)); // → [[1,1],[0,11]]

//# shareOf
import { shareOf } from 'switchover/sched';

console.log(shareOf({ budgetNs: 3e6, periodNs: 10e6 })); // → 0.3

//# firstFitDecreasing
import { firstFitDecreasing } from 'switchover/sched';

const loads = [
  { name: 'guest', budget: 6, period: 10 },
  { name: 'sender', budget: 5, period: 10 },
];
console.log(firstFitDecreasing(loads, 2).processorOf.join(' ')); // → 0 1
console.log(firstFitDecreasing(loads, 1).misfit); // → sender

//# globalEdfGuarantees
import { globalEdfGuarantees } from 'switchover/sched';

const third = (name) => ({ name, budget: 1, period: 3 });
console.log(globalEdfGuarantees([third('a'), third('b'), third('c')], 2)); // → true

//# leastSupply, linearLeastSupply, mostSupply, blackout, timeToSupply
import { blackout, leastSupply, linearLeastSupply, mostSupply, timeToSupply } from 'switchover/sched';

const sender = { budgetNs: 3, periodNs: 10 };
console.log(blackout(sender)); // → 14
console.log(leastSupply(sender, 14), leastSupply(sender, 20), leastSupply(sender, 40)); // → 0 3 9
console.log(linearLeastSupply(sender, 34), mostSupply(sender, 34)); // → 6 14.4
console.log(timeToSupply(sender, 9)); // → 37

//# demand, schedulableInside
import { demand, schedulableInside } from 'switchover/sched';

const tasks = [{ workNs: 9, periodNs: 40 }];
console.log(demand(tasks, 100)); // → 18
console.log(schedulableInside(tasks, { budgetNs: 3, periodNs: 10 })); // → true

//# longestStop, responseTime
import { longestStop, responseTime } from 'switchover/sched';

const control = { workNs: 2e6, periodNs: 100e6, deadlineNs: 80e6 };
const logger = { workNs: 10e6, periodNs: 200e6 };
const guest = { budgetNs: 4e6, periodNs: 10e6 };
const set = { policy: 'edf', tasks: [control, logger] };
console.log(longestStop(set, guest)); // → { stopNs: 66000000, task: 0 }
console.log(responseTime(logger, [control], guest) / 1e6); // → 36

//# stopBound
import { stopBound } from 'switchover/sched';

// 100 pages, 50 µs of the sender's CPU for each and 0.65 ms on the link, the sender having 3 of every 10 ms.
const stop = { pages: 100, cpuPerPageNs: 50_000, pageLinkNs: 650_000 };
console.log(stopBound({ ...stop, reservation: { budgetNs: 3e6, periodNs: 10e6 } }) / 1e6); // → 79.05
console.log(stopBound({ ...stop, reservation: null }) / 1e6); // → 65.05
