import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DestinationProcess } from '../../src/transport/destination-process.ts';
import type { BootVmGuest } from '../../src/worlds/vm/vm-guest.ts';
import { built } from './built.ts';
import { initramfs } from './initramfs.ts';
import { LinuxGuest } from './linux-guest.ts';
import type { BootFiles } from './linux-machine.ts';
import { guestHost, Network, type Plug, prefixBits } from './network.ts';
import { linuxFiles } from './packages.ts';

const service = { host: guestHost, prefixBits, port: 6379 };

/** What a destination must know to take in a Linux guest; JSON, for another process. */
export interface LinuxGuestAddress {
  readonly files: BootFiles;
  readonly plug: Plug;
}

/** What Linux guests need on this host: what they boot, and a network. One guest at a time. */
export class LinuxSite {
  readonly #folder: string;
  readonly #files: BootFiles;
  readonly #network: Network;
  readonly #guests: LinuxGuest[] = [];

  private constructor(folder: string, files: BootFiles, network: Network) {
    this.#folder = folder;
    this.#files = files;
    this.#network = network;
  }

  /** @throws Failure no packages, no Redis or no privilege; nothing has been left behind */
  static async create(): Promise<LinuxSite> {
    const { kernel, ...others } = await linuxFiles();
    const folder = mkdtempSync(join(tmpdir(), 'switchover-linux-'));
    try {
      const file = join(folder, 'initramfs');
      writeFileSync(file, initramfs({ kernel, ...others }, service));
      return new LinuxSite(folder, { kernel, initramfs: file }, await Network.create());
    } catch (cause) {
      rmSync(folder, { recursive: true });
      throw cause;
    }
  }

  readonly boot: BootVmGuest = async (setup, place) => {
    const guest = await LinuxGuest.boot(setup, place, this.#files, this.#network, service);
    this.#guests.push(guest);
    return guest;
  };

  get guestAddress(): LinuxGuestAddress {
    return { files: this.#files, plug: this.#network.plug('destination') };
  }

  /** Takes in the guests that are booted here. */
  startDestination(): Promise<DestinationProcess> {
    return DestinationProcess.start(built('linux-destination-main'), [JSON.stringify(this.guestAddress)]);
  }

  /** The latest one. */
  get guest(): LinuxGuest | undefined {
    return this.#guests.at(-1);
  }

  async end(): Promise<void> {
    await this.#network.end();
    rmSync(this.#folder, { recursive: true });
  }
}
