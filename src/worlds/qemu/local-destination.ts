import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nanos } from '../../core/units.ts';
import { Failure, Refusal } from '../../platform/failure.ts';
import { absoluteAddress, connectMonitor } from '../../qemu/connect-monitor.ts';
import { type KnownMachine, threadsOf } from '../../qemu/known-machine.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import { isMigration, MachineEvents } from './machine-events.ts';
import { dumpMemory } from './memory-dump.ts';
import type { QemuDestination } from './qemu-destination.ts';

/** A QEMU on this host that waits for a machine (`-incoming defer`), by its monitor. It runs only when it is told to. */
export class LocalDestination implements QemuDestination {
  readonly #socket: string;
  readonly #qmp: Qmp;
  readonly #events: MachineEvents;
  readonly completed: Promise<Nanos>;

  private constructor(socket: string, qmp: Qmp) {
    this.#socket = socket;
    this.#qmp = qmp;
    this.#events = new MachineEvents(qmp);
    this.completed = this.#events.next(isMigration('completed')).then(({ atNs }) => atNs);
    this.completed.catch(() => {});
  }

  /** @throws Refusal it does not wait for a machine */
  static async open(socket: string): Promise<LocalDestination> {
    const qmp = await connectMonitor(socket);
    try {
      const { status } = await qmp.execute<{ readonly status: string }>('query-status');
      if (status !== 'inmigrate') {
        throw new Refusal(
          `${socket}: this QEMU is '${status}'; a destination must wait for its machine: start it with -incoming defer -S`,
        );
      }
      const { status: migration = 'none' } = await qmp.execute<{ readonly status?: string }>('query-migrate');
      if (migration !== 'none') throw new Refusal(`${socket}: a migration to this QEMU has begun already`);
      return new LocalDestination(socket, qmp);
    } catch (cause) {
      qmp.close();
      throw cause;
    }
  }

  async place(): Promise<KnownMachine> {
    return { socket: absoluteAddress(this.#socket), machine: await threadsOf(this.#qmp) };
  }

  async connect(): Promise<Socket> {
    const capabilities = ['return-path', 'events'].map((capability) => ({ capability, state: true }));
    await this.#qmp.execute('migrate-set-capabilities', { capabilities });
    // While it waits for a machine, this says that the machine is not to run when it has come: as with -S.
    await this.#qmp.execute('stop');
    const folder = mkdtempSync(join(tmpdir(), 'switchover-arrival-'));
    try {
      const path = join(folder, 'socket');
      await this.#qmp.execute('migrate-incoming', { uri: `unix:${path}` });
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect(path, () => resolve(socket));
        socket.on('error', ({ message }) => reject(new Failure(`the destination: ${message}`)));
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async run(): Promise<Nanos> {
    const resumed = this.#events.next(({ name }) => name === 'RESUME');
    await this.#qmp.execute('cont');
    return (await resumed).atNs;
  }

  dumpMemory(file: string): Promise<void> {
    return dumpMemory(this.#qmp, file);
  }

  async abandon(): Promise<void> {
    await this.#qmp.execute('quit').catch(() => {});
    this.#qmp.close();
  }

  close(): void {
    this.#qmp.close();
  }
}
