import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { acknowledgeSwitchover, requestPages } from '../../qemu/return-path.ts';
import type { LiveSending, LiveSendingOptions } from './live-sending.ts';
import type { MachineEvent } from './machine-events.ts';
import type { PageTotals } from './page-flow.ts';
import { thresholds } from './source-machine.ts';

/** Since when, and what had been sent of the guest before. */
interface Pause {
  readonly atNs: Nanos;
  readonly before: PageTotals;
}

const AT_ONCE_NS = 10 * NANOS_PER_MILLISECOND;

export interface MachineStopOptions extends LiveSendingOptions {
  readonly live: LiveSending;
  /** Its user had paused it before. */
  readonly wasPaused: boolean;
  /** Told as soon as it is heard that the machine stands still, since when. */
  readonly stopped: (atNs: Nanos) => void;
}

/** The stop of one machine: QEMU waits until we allow it, and says when the machine stood still. */
export class MachineStop {
  readonly #options: MachineStopOptions;
  #asked: Pause | undefined;
  pause: Pause | undefined;
  /** Its user has paused it: it stays paused, wherever it will be. */
  staysPaused: boolean;

  constructor(options: MachineStopOptions) {
    this.#options = options;
    this.staysPaused = options.wasPaused;
    options.machine.events.listen((event) => this.#heard(event));
  }

  /** From the rule to the stop; null: it was not stopped. */
  get waitedNs(): Nanos | null {
    return this.pause ? this.pause.atNs - this.#asked!.atNs : null;
  }

  /** Pages that left meanwhile. */
  get inFlightPages(): number {
    return this.pause ? this.pause.before.pages - this.#asked!.before.pages : 0;
  }

  /** Allows the stop. Where nothing is pending, or the threshold is high already, QEMU stops at once. */
  async ask(): Promise<void> {
    const { machine, relay, flow, live } = this.#options;
    flow.isLive = false;
    const isAtOnce = live.leave();
    this.#asked = { atNs: clockNs(), before: live.wentOn ?? flow.totals };
    if (live.wentOn) {
      this.#paused(clockNs());
      return;
    }
    // Of a machine that its user has paused, only that QEMU goes on to the rest is said.
    const stopping = machine.events.next(({ name, status }) => name === 'STOP' || status === 'device');
    relay.tellSource(acknowledgeSwitchover());
    // A request, be it for a clean page, wakes QEMU.
    if (isAtOnce) relay.tellSource(requestPages(flow.blocksOf[0]!.name, 0, 1));
    else await machine.setThreshold(thresholds.any);
    this.#paused((await stopping).atNs);
  }

  #heard({ name, status, atNs }: MachineEvent): void {
    const { live, flow } = this.#options;
    const isAsked = this.#asked !== undefined;
    if (name === 'STOP' && !isAsked) this.staysPaused = true;
    if (name === 'RESUME') this.staysPaused = false;
    // A machine that its user has paused is not held by us: at the end of a round QEMU goes on to the rest by itself.
    if (status === 'device' && !isAsked) live.wentOn = flow.totals;
    if (isAsked && name === 'STOP') this.#paused(atNs);
  }

  #paused(atNs: Nanos): void {
    if (this.pause) return;
    const asked = this.#asked!;
    const since = Math.max(atNs, asked.atNs);
    // Of a machine that stands at once nothing leaves live after it was asked to, however late that is heard.
    const isAtOnce = since - asked.atNs < AT_ONCE_NS;
    this.pause = { atNs: since, before: isAtOnce ? asked.before : this.#options.flow.totals };
    this.#options.stopped(since);
  }
}
