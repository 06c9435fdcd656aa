import type { Retired } from '../../src/transport/payloads.ts';
import type { GuestSpec } from '../../src/workload/programs.ts';
import { VirtualMachine } from '../../src/worlds/vm/virtual-machine.ts';
import type { VmGuestPlace } from '../../src/worlds/vm/vm-guest.ts';
import { guestMac, type Plug } from './network.ts';

/** What the machine boots: files, the same at both ends. */
export interface BootFiles {
  readonly kernel: string;
  readonly initramfs: string;
}

/**
 * A panic ends QEMU instead of leaving us to wait. Nothing is booked, checked or watched over for which such a small system has no
 * use: after a hand-over TCG has to translate anew whatever comes before the first answer.
 */
export const COMMAND_LINE = 'quiet panic=-1 tsc=reliable lsm=capability psi=0 cgroup_disable=memory';

/** Of TCG's room for translated code, 1 GiB by default, so much: all of it has to be there. A Linux system takes less. */
const LOCKED_CODE_MIB = 64;

/** A Linux system, plugged into a network. */
export class LinuxMachine extends VirtualMachine {
  /** @throws Failure there is no QEMU here or no memory, or it does not start; nothing has been left behind. */
  static async create(
    guest: GuestSpec,
    { kernel, initramfs }: BootFiles,
    { namespace, port }: Plug,
    { role, ...place }: VmGuestPlace & { readonly role: 'new guest' | 'receives' },
  ): Promise<LinuxMachine> {
    const parts = await VirtualMachine.start({
      ...place,
      role,
      namespace,
      accelerator: `tcg,tb-size=${LOCKED_CODE_MIB}`,
      // All of it is the guest's, and moves.
      guest,
      pagesAtByte: 0,
      devices: [
        // All its memory is locked at the start (mlockall(2)), so that it does not wait for page faults after the hand-over.
        ...['-overcommit', 'mem-lock=on'],
        ...['-kernel', kernel, '-initrd', initramfs, '-append', COMMAND_LINE],
        ...['-netdev', `tap,id=net,ifname=${port},script=no,downscript=no`],
        // The network is told where it is before it stops: it need not make itself known after it, before it answers anybody.
        ...['-device', `virtio-net-pci,netdev=net,mac=${guestMac},guest_announce=off,romfile=`],
      ],
    });
    return new LinuxMachine(parts);
  }

  /** It counts no steps. */
  async retire(): Promise<Retired> {
    await this.pause();
    return { steps: 0, heartbeats: 0, sha256: await this.hash() };
  }
}
