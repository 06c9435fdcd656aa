import { createSocket, type Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../core/units.ts';
import { encodeHeartbeat } from '../../observe/viewer/heartbeat.ts';
import { clockNs } from '../../platform/clock.ts';
import { touch } from '../../platform/populate.ts';
import { sha256Of } from '../../platform/segmented-memory.ts';
import { overShared } from '../../platform/shared-memory.ts';
import { threadCpuNs } from '../../platform/thread-clock.ts';
import { openScheduledThread } from '../../sched/scheduled-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import { guestMemory } from '../../workload/program.ts';
import { ProgramClock } from '../../workload/program-clock.ts';
import { ProgramMachine } from '../../workload/program-machine.ts';
import { programOf, usedPages } from '../../workload/programs.ts';
import { DirtyLog } from './dirty-log.ts';
import { commands, Gate, type GuestReport, type GuestWorkerData } from './guest-control.ts';

/** The guest's thread: makes the steps that are due in guest time, stops at its gate, and never blocks elsewhere. */

/** The guest reads the clock at least this often while steps are due, and sleeps no shorter than that. */
const STEPS_BETWEEN_READINGS = 64;
const SHORTEST_SLEEP_NS = NANOS_PER_MILLISECOND / 2;
/** Heartbeats that go to nobody are counted this late at most: nothing wakes up for them. */
const LONGEST_SLEEP_NS = NANOS_PER_SECOND;

const data = workerData as GuestWorkerData;
const gate = new Gate(data.control);
const log = new DirtyLog(data.guest.pages, data.dirty);
const memory = overShared(data.memory, data.guest);
const clock = new ProgramClock(data.guest);
const machine = new ProgramMachine(
  guestMemory(memory, (page) => log.mark(page)),
  programOf(data.guest),
  data.guest.heartbeatPeriodNs,
);

// An arriving guest's pages are touched before the migration, so that none of it waits for the kernel to find memory;
// those that stay zero are left alone.
if (data.boot) machine.boot(data.guest.seed, data.guest.zeroPages);
else touch(memory.firstPages(usedPages(data.guest)));
const socket = data.heartbeats === null ? null : await connected(data.heartbeats);
// Booting is not the guest's own work, so it is done before its reservation begins.
const thread = openScheduledThread(data.thread);
const stepCpuNs = machine.stepCpuNs + data.guest.cpuPerWriteNs;
// The first reading of the clock takes longer than any later one.
if (stepCpuNs > 0) threadCpuNs();
obey();
socket?.close();

/** Carries out commands until told to exit. Synchronous, so that nothing but the gate decides when it runs. */
function obey(): void {
  let guestTimeNs = 0;
  let sha256: string | null = null;
  for (;;) {
    report({ atNs: clockNs(), guestTimeNs, sha256 });
    // A wake-up may come late, for a command that was seen already: only another command ends the wait.
    while (gate.command === commands.pause) gate.sleepWhile(commands.pause);
    sha256 = null;
    switch (gate.command) {
      case commands.run:
        guestTimeNs = run(gate.argument);
        break;
      case commands.hash:
        sha256 = sha256Of(memory.segments);
        gate.tell('pause');
        break;
      case commands.advance:
        while (machine.steps < gate.argument) machine.step();
        gate.tell('pause');
        break;
      case commands.exit:
        return;
    }
  }
}

/** Runs from `guestTimeNs` until the gate says otherwise; returns the guest time at which it was paused. */
function run(guestTimeNs: number): number {
  const startedAtNs = clockNs() - guestTimeNs;
  report({ atNs: clockNs(), guestTimeNs, sha256: null });
  thread.unblock(stopped);
  // What a step writes and what it takes to be scheduled are part of its demand, so demands add up from when it woke.
  let demandedCpuNs = stepCpuNs === 0 ? 0 : threadCpuNs();
  for (;;) {
    const ranNs = clockNs() - startedAtNs;
    const nowNs = clock.programNs(ranNs);
    for (let steps = 0; steps < STEPS_BETWEEN_READINGS && machine.nextAtNs() <= nowNs; steps++) {
      const beats = machine.step();
      demandedCpuNs += stepCpuNs;
      if (stepCpuNs > 0) workUntil(demandedCpuNs);
      if (beats) beat(clockNs() - startedAtNs - clock.ranNs(machine.timeNs));
      thread.checkpoint(stopped);
      if (stopped()) break;
    }
    if (stopped()) break;
    if (machine.nextAtNs() <= nowNs) continue;
    const wakesAtNs = socket ? machine.nextAtNs() : machine.nextOfProgramAtNs();
    const idleNs = Math.min(clock.ranNs(wakesAtNs) - ranNs, LONGEST_SLEEP_NS);
    const sleepNs = Math.max(idleNs, SHORTEST_SLEEP_NS);
    thread.block(startedAtNs + ranNs + sleepNs);
    gate.sleepWhile(commands.run, sleepNs / NANOS_PER_MILLISECOND);
    thread.unblock(stopped);
    if (stepCpuNs > 0) demandedCpuNs = threadCpuNs();
  }
  thread.block();
  return clockNs() - startedAtNs;
}

function stopped(): boolean {
  return gate.command !== commands.run;
}

/** Uses the processor up to a reading of the thread's own clock; cut short when the guest is stopped in the middle. */
function workUntil(cpuNs: number): void {
  while (threadCpuNs() < cpuNs && !stopped()) thread.checkpoint(stopped);
}

/** A connected UDP socket sends at once, without the event loop. */
function beat(latenessNs: number): void {
  socket?.send(encodeHeartbeat({ token: data.heartbeats!.token, number: machine.heartbeats, latenessNs }));
}

function connected({ host, port }: HeartbeatAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const udp = createSocket('udp4');
    udp.once('error', reject);
    udp.connect(port, host, () => {
      udp.removeAllListeners('error');
      udp.on('error', () => {});
      resolve(udp);
    });
  });
}

function report(message: GuestReport): void {
  parentPort!.postMessage(message);
}
