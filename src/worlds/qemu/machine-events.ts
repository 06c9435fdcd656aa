import type { Nanos } from '../../core/units.ts';
import { clockNs, wallClockMs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import type { Qmp, QmpEvent } from '../../qemu/qmp.ts';

/** What a machine has said, and when, by this host's clock. */
export interface MachineEvent {
  readonly name: string;
  /** Of MIGRATION: the state that it is in now. */
  readonly status: string | undefined;
  /** Of MIGRATION_PASS: how often QEMU has asked its dirty log, the first time before it sends anything. */
  readonly pass: number | undefined;
  readonly atNs: Nanos;
}

interface Waiting {
  readonly isIt: (event: MachineEvent) => boolean;
  readonly resolve: (event: MachineEvent) => void;
  readonly reject: (why: Error) => void;
}

/** The events of a machine's monitor, each with the instant that QEMU stamped on it, as one that can be waited for. */
export class MachineEvents {
  readonly #waiting = new Set<Waiting>();
  #gone: Error | undefined;
  readonly #listeners: ((event: MachineEvent) => void)[] = [];
  /** From the wall clock, by which QEMU stamps, to this host's. A machine elsewhere has a clock of its own: then when it is heard. */
  readonly #offsetNs: number;

  constructor(qmp: Qmp) {
    this.#offsetNs = wallClockOffsetNs();
    qmp.listen((event) => this.#hear(event));
    qmp.onEnd((why) => this.#end(why));
  }

  listen(listener: (event: MachineEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** The next event that is it. @throws Failure the monitor is gone before */
  next(isIt: (event: MachineEvent) => boolean): Promise<MachineEvent> {
    const event = new Promise<MachineEvent>((resolve, reject) => {
      if (this.#gone) reject(this.#gone);
      else this.#waiting.add({ isIt, resolve, reject });
    });
    // Whoever waits hears of it; nobody need.
    event.catch(() => {});
    return event;
  }

  #end(why: Error): void {
    this.#gone = why;
    for (const { reject } of this.#waiting) reject(why);
    this.#waiting.clear();
  }

  #hear({ event, timestamp, data }: QmpEvent): void {
    const wallNs = timestamp.seconds * 1e9 + timestamp.microseconds * 1e3;
    const status = data?.status === undefined ? undefined : String(data.status);
    // Never later than now: the clocks may have been set.
    const pass = data?.pass === undefined ? undefined : Number(data.pass);
    const heard = { name: event, status, pass, atNs: Math.min(wallNs + this.#offsetNs, clockNs()) };
    for (const listener of this.#listeners) listener(heard);
    for (const waiting of this.#waiting) {
      if (!waiting.isIt(heard)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(heard);
    }
  }
}

/** What the wall clock has to be given to say this host's time. It is read as it ticks: it counts whole milliseconds. */
function wallClockOffsetNs(): number {
  const before = wallClockMs();
  let now = before;
  for (let reads = 0; now === before && reads < 1e6; reads++) now = wallClockMs();
  return clockNs() - now * 1e6;
}

export const isMigration = (status: string) => (event: MachineEvent) =>
  event.name === 'MIGRATION' && event.status === status;

/** How QEMU's migration has ended, where it has not completed. */
const ENDS = ['failed', 'cancelling', 'cancelled'];

/** @throws Failure it has ended otherwise */
export async function reaches(events: MachineEvents, status: string, who: string): Promise<MachineEvent> {
  const event = await events.next(
    ({ name, status: now = '' }) => name === 'MIGRATION' && (now === status || ENDS.includes(now)),
  );
  if (event.status === status) return event;
  throw new Failure(`QEMU's migration at the ${who}: ${event.status}`);
}
