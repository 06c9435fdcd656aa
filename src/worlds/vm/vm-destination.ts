import type { Socket } from 'node:net';
import { MemoryRoom } from '../../platform/memory-room.ts';
import type { Hello } from '../../transport/hello.ts';
import type { HostedGuest } from '../../transport/hosted-guest.ts';
import { MigrationServer } from '../../transport/migration-server.ts';
import { NameClaims } from '../../transport/name-claims.ts';
import { checkProgramFits } from '../../workload/programs.ts';
import { machineFolder } from './qemu.ts';
import { ScriptMachine } from './script-machine.ts';
import { Vcpu } from './vcpu.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import type { VmGuestPlace } from './vm-guest.ts';

export interface VmDestinationOptions {
  /** The folder where journals of migrations are kept; without it, none are, and machines end with this process. */
  readonly journals?: string | undefined;
  /** Without it, machines that replay a write script. */
  readonly createMachine?: CreateMachine;
}

/**
 * Makes a machine, paused, that waits for what a source has announced.
 * @throws Failure it cannot be had; nothing has been left behind
 */
export type CreateMachine = (hello: Hello, place: VmGuestPlace) => Promise<VirtualMachine>;

/** Takes in one virtual machine after another, from this host only. */
export class VmDestination {
  readonly #options: VmDestinationOptions;
  readonly #machines = new Set<VirtualMachine>();
  readonly #names = new NameClaims();
  readonly #memory = new MemoryRoom();
  #server: MigrationServer | undefined;

  private constructor(options: VmDestinationOptions) {
    this.#options = options;
  }

  /** @throws Failure it cannot listen. */
  static async listen(options: VmDestinationOptions): Promise<VmDestination> {
    const destination = new VmDestination(options);
    const where = { host: '127.0.0.1', port: 0, journals: options.journals, log: () => {} };
    destination.#server = await MigrationServer.listen(where, (...from) => destination.#prepare(...from));
    return destination;
  }

  get address(): MigrationServer['address'] {
    return this.#server!.address;
  }

  /** Process numbers of the machines that are here. */
  get pids(): readonly number[] {
    return [...this.#machines].map(({ qemu }) => qemu.pid);
  }

  /** Cuts all connections. */
  hangUp(): void {
    this.#server!.hangUp();
  }

  /** Hangs up, ends every machine and stops listening. */
  async close(): Promise<void> {
    this.hangUp();
    await Promise.all([...this.#machines].map((machine) => machine.end()));
    this.#machines.clear();
    await this.#server!.close();
  }

  /** A machine that is paused over empty memory. @throws Failure this destination does not take such a guest. */
  async #prepare(hello: Hello, socket: Socket): Promise<HostedGuest> {
    const { createMachine = createScriptMachine, journals } = this.#options;
    const { guest, reservation, migration } = hello;
    const releaseName = await this.#names.claim(guest.name);
    let giveMemoryBack = () => {};
    let machine: VirtualMachine | undefined;
    let ended = () => {};
    const gone = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const discard = async () => {
      if (machine && this.#machines.delete(machine)) await machine.end();
      releaseName();
      giveMemoryBack();
      ended();
    };
    try {
      giveMemoryBack = this.#memory.take(guest.pages * guest.pageSizeBytes);
      machine = await createMachine(hello, {
        folder: machineFolder(migration, 'destination'),
        outlives: journals !== undefined,
      });
      this.#machines.add(machine);
      if (reservation) {
        const vcpu = await Vcpu.of(machine.qemu);
        vcpu.reserve(reservation, reservation.scheduler, false);
      }
      return { ...hosted(machine, socket, discard), discard, gone };
    } catch (cause) {
      await discard();
      throw cause;
    }
  }
}

const createScriptMachine: CreateMachine = async ({ guest, heartbeats }, place) => {
  checkProgramFits(guest);
  return ScriptMachine.create(guest, { ...place, heartbeats, role: 'receives' });
};

function hosted(
  machine: VirtualMachine,
  socket: Socket,
  discard: () => Promise<void>,
): Omit<HostedGuest, 'discard' | 'gone'> {
  let isOurs = false;
  // It may hang at what it was asked, and then nothing else would end it soon.
  socket.once('close', () => {
    if (!isOurs) machine.qemu.kill();
  });
  return {
    memory: machine.pages,
    load: (state) => machine.load(state),
    hash: () => machine.hash(),
    takeOver: async (_, paused) => {
      isOurs = true;
      if (!paused) await machine.run();
    },
    retire: () =>
      machine.retire().catch(async (cause) => {
        await discard();
        throw cause;
      }),
  };
}
