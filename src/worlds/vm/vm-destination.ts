import type { Server, Socket } from 'node:net';
import { totalmem } from 'node:os';
import { Failure, printable, reasonOf } from '../../platform/failure.ts';
import type { Hello } from '../../transport/hello.ts';
import type { HostedGuest } from '../../transport/hosted-guest.ts';
import { receive } from '../../transport/incoming-migration.ts';
import { IncomingMigrations } from '../../transport/incoming-migrations.ts';
import { defaultLimits } from '../../transport/limits.ts';
import { NameClaims } from '../../transport/name-claims.ts';
import { receivingServer } from '../../transport/receiving-server.ts';
import { pagesNeeded, usedPages } from '../../workload/programs.ts';
import { machineFolder } from './machine-folder.ts';
import { ScriptMachine } from './script-machine.ts';
import { Vcpu } from './vcpu.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import type { VmGuestPlace } from './vm-guest.ts';

export interface VmDestinationOptions {
  /** The folder where journals of migrations are kept; without it, none are, and machines end with this process. */
  readonly journals?: string | undefined;
  /** Called with a line for everything that happens. */
  readonly log: (line: string) => void;
  /** Makes the machines; without it, such as replay a write script. */
  readonly takes?: Takes;
}

/** A machine that waits for what a source has announced. @throws Failure it cannot be had; nothing has been left behind. */
export type Takes = (hello: Hello, place: VmGuestPlace) => Promise<VirtualMachine>;

/** Takes in one virtual machine after another, from this host only. */
export class VmDestination {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #machines: Set<VirtualMachine>;

  private constructor(server: Server, port: number, sockets: Set<Socket>, machines: Set<VirtualMachine>) {
    this.#server = server;
    this.address = { host: HOST, port };
    this.#sockets = sockets;
    this.#machines = machines;
  }

  /** @throws Failure it cannot listen. */
  static async listen({ journals, log, takes = takesScripts }: VmDestinationOptions): Promise<VmDestination> {
    const sockets = new Set<Socket>();
    const machines = new Set<VirtualMachine>();
    const names = new NameClaims();
    const migrations = new IncomingMigrations();
    const server = receivingServer(defaultLimits.connections, sockets, (socket) => {
      const outlives = journals !== undefined;
      const prepared = (hello: Hello) => prepare(hello, takes, outlives, socket, machines, names);
      const authenticated = () => {};
      const options = {
        prepare: prepared,
        key: null,
        limits: defaultLimits,
        authenticated,
        journals,
        migrations,
      };
      void receive(socket, options).then((how) => log(printable(how)));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new Failure(`cannot listen on ${HOST}: ${reasonOf(error)}`)));
      server.listen(0, HOST, resolve);
    });
    return new VmDestination(server, (server.address() as { port: number }).port, sockets, machines);
  }

  /** Process numbers of the machines that are here. */
  get pids(): readonly number[] {
    return [...this.#machines].map(({ pid }) => pid);
  }

  /** Cuts all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Hangs up, ends every machine and stops listening. */
  async close(): Promise<void> {
    this.hangUp();
    await Promise.all([...this.#machines].map((machine) => machine.end()));
    this.#machines.clear();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const HOST = '127.0.0.1';

/** @throws Failure a program that does not fit its guest */
const takesScripts: Takes = async ({ guest, heartbeats }, place) => {
  if (pagesNeeded(guest.program) > usedPages(guest)) {
    throw new Failure(`a program of ${pagesNeeded(guest.program)} pages in a guest of ${usedPages(guest)}`);
  }
  return ScriptMachine.create(guest, { ...place, heartbeats, role: 'receives' });
};

/** A machine that stands over empty memory. @throws Failure this destination does not take such a guest. */
async function prepare(
  hello: Hello,
  takes: Takes,
  outlives: boolean,
  socket: Socket,
  machines: Set<VirtualMachine>,
  names: NameClaims,
): Promise<HostedGuest> {
  const { guest, reservation, migration } = hello;
  const bytes = guest.pages * guest.pageSizeBytes;
  if (bytes > totalmem() / 2) throw new Failure(`a guest of ${bytes} bytes: more than half of this host`);
  const leave = await names.claim(guest.name);
  let machine: VirtualMachine | undefined;
  let goes = () => {};
  const gone = new Promise<void>((resolve) => {
    goes = resolve;
  });
  const discard = async () => {
    if (machine && machines.delete(machine)) await machine.end();
    leave();
    goes();
  };
  try {
    machine = await takes(hello, { folder: machineFolder(migration, 'destination'), outlives });
    machines.add(machine);
    if (reservation) {
      const vcpu = new Vcpu(machine.pid, await machine.vcpuThread());
      vcpu.reserve(reservation, reservation.scheduler, false);
    }
    return { ...hosted(machine, socket), discard, gone };
  } catch (cause) {
    await discard();
    throw cause;
  }
}

function hosted(machine: VirtualMachine, socket: Socket): Omit<HostedGuest, 'discard' | 'gone'> {
  let isOurs = false;
  // It may hang at what it was asked, and then nothing else would end it soon.
  socket.once('close', () => {
    if (!isOurs) machine.abandon();
  });
  return {
    memory: machine.pages,
    load: (state) => machine.load(state),
    hash: async () => machine.hash(),
    takeOver: async (_, paused) => {
      isOurs = true;
      if (!paused) await machine.run();
    },
    retire: () => machine.retire(),
  };
}
