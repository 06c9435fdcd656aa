import type { GuestSpec } from '../../guests/programs.ts';
import type { Retired } from '../../transfer/payloads.ts';
import type { Place } from '../inhabitant.ts';
import { Machine } from '../machine.ts';
import { guestMac, type Plug } from './network.ts';

/** What the machine boots: files, the same at both ends. */
export interface BootFiles {
  readonly kernel: string;
  readonly initramfs: string;
}

/** A panic ends QEMU instead of leaving us to wait. */
const COMMAND_LINE = 'quiet panic=-1';

/** A Linux system, plugged into a network. */
export class LinuxMachine extends Machine {
  /** @throws Failure there is no QEMU here or no memory, or it does not start; nothing has been left behind. */
  static async create(
    guest: GuestSpec,
    { kernel, initramfs }: BootFiles,
    { namespace, port }: Plug,
    { role, ...place }: Place & { readonly role: 'new guest' | 'receives' },
  ): Promise<LinuxMachine> {
    const parts = await Machine.start({
      ...place,
      role,
      namespace,
      // All of it is the guest's, and moves.
      memory: { pagesAtByte: 0, bytes: guest.pages * guest.pageSizeBytes },
      devices: [
        ...['-kernel', kernel, '-initrd', initramfs, '-append', COMMAND_LINE],
        ...['-netdev', `tap,id=net,ifname=${port},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=net,mac=${guestMac},romfile=`],
      ],
    });
    return new LinuxMachine(parts);
  }

  /** Tells the network where it is, for whoever did not know; nobody waits for that. */
  override async run(): Promise<void> {
    await super.run();
    const rounds = { initial: 0, max: 100, rounds: 3, step: 50 };
    void this.qemu.qmp.execute('announce-self', rounds).catch(() => {});
  }

  /** It counts no steps. */
  async retire(): Promise<Retired> {
    await this.stand();
    return { steps: 0, heartbeats: 0, sha256: this.hash() };
  }
}
