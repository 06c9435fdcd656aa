import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { entry } from '../platform/entry.ts';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import type { DestinationThere } from '../transport/address.ts';
import { DestinationProcess } from '../transport/destination-process.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { World } from './world.ts';
import type { WorldName } from './world-names.ts';

/** Makes worlds of one kind, one a migration, and keeps what they share. */
export interface WorldFactory {
  create(setup: MigrationSpec): Promise<World>;
  /**
   * How many copies of a guest's memory are on this host at once: at both ends, and the one with which a virtual machine's
   * memory is compared. 0: a page is only a number.
   */
  readonly copiesOfMemory: number;
  close(): Promise<void>;
}

export interface FactoryOptions {
  readonly to?: DestinationThere | undefined;
  readonly journals?: string | undefined;
}

/**
 * A world is loaded once it is asked for: real ones need much that virtual time does not.
 * @param options for a world with two ends. `to`: the destination; without it, a process on this host is started.
 * `journals`: the folder where the source keeps its journals
 * @throws Failure the destination cannot be had
 */
export async function worldFactory(
  name: WorldName,
  { to, journals }: FactoryOptions = {},
): Promise<WorldFactory> {
  const nothing = async () => {};
  switch (name) {
    case 'virtual': {
      if (journals !== undefined) {
        throw new Failure('--journal: not possible in world virtual; use --world threads');
      }
      const { virtualWorld } = await import('./virtual/virtual-worlds.ts');
      return { create: async (setup) => virtualWorld(setup), copiesOfMemory: 0, close: nothing };
    }
    case 'threads': {
      const { threadsWorld } = await import('./threads/threads-world.ts');
      const program = entry('worlds/threads/threads-destination-main');
      const own = to ? undefined : await DestinationProcess.start(program);
      const destination = to ?? own!;
      const viewerHost = await addressTowards(destination.host);
      return {
        create: async (setup) => threadsWorld(framed(name, setup), { to: destination, viewerHost, journals }),
        copiesOfMemory: to ? 1 : 2,
        close: async () => own?.end(),
      };
    }
    case 'vm': {
      insistOnOwn(name, { to });
      const { vmWorld } = await import('./vm/vm-world.ts');
      const args = journals === undefined ? [] : [journals];
      const destination = await DestinationProcess.start(entry('worlds/vm/vm-destination-main'), args);
      return {
        create: async (setup) => vmWorld(framed(name, undisturbed(name, setup)), { destination, journals }),
        copiesOfMemory: 3,
        close: () => destination.end(),
      };
    }
    case 'qemu-native': {
      insistOnOwn(name, { to, journals });
      const { QemuNativeWorld } = await import('./vm/qemu-native-world.ts');
      return {
        create: async (setup) => QemuNativeWorld.create(framed(name, undisturbed(name, setup))),
        copiesOfMemory: 2,
        close: nothing,
      };
    }
  }
}

/** Nothing works against a machine here but hogs. @throws Refusal something should */
function undisturbed(name: WorldName, setup: MigrationSpec): MigrationSpec {
  const [antagonist] = setup.antagonists ?? [];
  if (!antagonist) return setup;
  throw new Refusal(`background: ${antagonist.kind} is not supported in world ${name}; use --world threads`);
}

/** What really travels has its limits. @throws Refusal devices should have a state */
function framed(name: WorldName, setup: MigrationSpec): MigrationSpec {
  const { device } = setup.guest;
  if (!device || (device.stateBytes === 0 && name !== 'qemu-native')) return setup;
  const what = name === 'qemu-native' ? 'guest.device' : 'guest.device.state';
  throw new Refusal(`${what}: world ${name} has no such devices; use --world virtual`);
}

/** Each names its destination itself. */
function insistOnOwn(name: WorldName, { to, journals }: FactoryOptions): void {
  if (to) throw new Failure(`--to: world ${name} starts its own destination on this host`);
  if (name === 'qemu-native' && journals !== undefined) {
    throw new Failure('--journal: in world qemu-native QEMU decides who owns the guest; use --world vm');
  }
}

/** This host's address as the other one sees it: what the kernel would send from. No packet leaves. */
async function addressTowards(host: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    const { address } = await lookup(host, { family: 4 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(9, address, resolve);
    });
    return socket.address().address;
  } catch (cause) {
    throw new Failure(`no route to ${host}: ${reasonOf(cause)}`);
  } finally {
    socket.close();
  }
}
