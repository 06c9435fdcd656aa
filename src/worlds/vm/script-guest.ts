import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outage } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { ViewerThread } from '../../observe/viewer/viewer-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { ScriptMachine } from './script-machine.ts';
import type { Arrival, VmGuest, VmGuestPlace, VmSender } from './vm-guest.ts';

const VIEWER_HOST = '127.0.0.1';
/** After the hand-over the guest runs on for so many heartbeats, so that its client can say how it went. */
const HEARTBEATS_AFTERWARDS = 25;
/** The copy that stayed behind makes up for what the other has run; on a busy machine that takes its time. */
const MOST_CATCHING_UP_MS = 10_000;

/** A guest that replays its script, and a client that listens to its heartbeats. */
export class ScriptGuest implements VmGuest {
  readonly machine: ScriptMachine;
  readonly heartbeats: HeartbeatAddress;
  readonly #viewer: ViewerThread;
  readonly #guest: GuestSpec;

  private constructor(
    machine: ScriptMachine,
    heartbeats: HeartbeatAddress,
    viewer: ViewerThread,
    guest: GuestSpec,
  ) {
    this.machine = machine;
    this.heartbeats = heartbeats;
    this.#viewer = viewer;
    this.#guest = guest;
  }

  static async boot({ guest }: MigrationSpec, place: VmGuestPlace): Promise<ScriptGuest> {
    const token = randomInt(2 ** 32);
    const viewer = await ViewerThread.listen(
      { host: VIEWER_HOST, token, periodNs: guest.heartbeatPeriodNs },
      'worlds/vm/console-viewer-worker',
    );
    try {
      const heartbeats = { host: VIEWER_HOST, port: viewer.port, token };
      const machine = await ScriptMachine.create(guest, { ...place, heartbeats, role: 'new guest' });
      return new ScriptGuest(machine, heartbeats, viewer, guest);
    } catch (cause) {
      await viewer.end();
      throw cause;
    }
  }

  watchGaps(): void {
    this.#viewer.watchGaps();
  }

  async aboutToStop(): Promise<void> {}

  /**
   * Lets the guest run on at the destination and rest there for good. Then, as there is no other guest any more, lets the
   * copy that stayed behind, to which nobody listens, make the same number of steps: a guest that never moved must end
   * with the same memory.
   */
  async arrived(sender: VmSender): Promise<Arrival> {
    const afterwardsNs = HEARTBEATS_AFTERWARDS * this.#guest.heartbeatPeriodNs;
    await sleep(afterwardsNs / NANOS_PER_MILLISECOND);
    const { result: moved } = await sender.ask('retire', {});
    const outage = await this.#viewer.outage(moved.heartbeats);
    this.#viewer.forgetSource();
    const withinMs = MOST_CATCHING_UP_MS + (2 * afterwardsNs) / NANOS_PER_MILLISECOND;
    await this.machine.advance(moved.steps, withinMs);
    const continued = this.machine.hash() === moved.sha256 ? 'identical' : 'different';
    return { outage, continued, notes: [] };
  }

  outage(): Promise<Outage | null> {
    return this.#viewer.outage(0);
  }

  async end(): Promise<void> {
    await this.#viewer.end();
    await this.machine.end();
  }
}
