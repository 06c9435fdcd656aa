import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { formatSize } from '../../core/units.ts';
import { Failure, orFailure } from '../../platform/failure.ts';
import { inSegments, type SegmentedMemory } from '../../platform/segmented-memory.ts';
import type { Retired } from '../../transport/payloads.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { makeOwnFolder, removeFolder } from './machine-folders.ts';
import { MappedFile } from './mapped-file.ts';
import { Qemu, type QemuOptions } from './qemu.ts';

/** QEMU wants its memory in portions of this size. */
const RAM_GRAIN_BYTES = 8192;
/** From this on a part of a PC's memory lies above 4 GiB (hw/i386/pc_piix.c, pc_init1: max_ram_below_4g). */
const MOST_RAM_BYTES = 0xe000_0000 - RAM_GRAIN_BYTES;
/** Saving or loading what is not memory takes milliseconds; longer than this it hangs. */
const STATE_MS = 10_000;
const HASHED_AT_ONCE_BYTES = 16 * 1024 * 1024;
const LARGEST_STATE_BYTES = 64 * 1024 * 1024;

export interface VirtualMachineOptions extends Omit<QemuOptions, 'ram' | 'accelerator'> {
  /** Whose pages a migration moves. */
  readonly guest: Pick<GuestSpec, 'pages' | 'pageSizeBytes'>;
  /** Where they begin: all before them is made at both ends. */
  readonly pagesAtByte: number;
  /** Fills the memory before the machine is started. @returns files that QEMU has read once it has started */
  readonly prepare?: (ram: Buffer, pages: SegmentedMemory) => readonly string[];
  readonly accelerator?: QemuOptions['accelerator'];
}

/** A QEMU, and the memory that we share with it. */
interface MachineParts {
  readonly qemu: Qemu;
  readonly ram: MappedFile;
  readonly pages: SegmentedMemory;
  readonly options: VirtualMachineOptions;
}

/** A real virtual machine, its memory shared with us. It is paused until it is told to run. */
export abstract class VirtualMachine {
  readonly qemu: Qemu;
  readonly ram: MappedFile;
  readonly pagesAtByte: number;
  /** The guest's pages. */
  readonly pages: SegmentedMemory;
  readonly #folder: string;
  readonly #stateSocket: string;
  #saving: Promise<unknown> = Promise.resolve();

  constructor({ qemu, ram, pages, options }: MachineParts) {
    this.qemu = qemu;
    this.ram = ram;
    this.#folder = options.folder;
    this.#stateSocket = stateSocketOf(options.folder);
    this.pagesAtByte = options.pagesAtByte;
    this.pages = pages;
  }

  /** @throws Failure there is no QEMU here or no memory, or it does not start; nothing has been left behind. */
  protected static async start(options: VirtualMachineOptions): Promise<MachineParts> {
    const { folder, guest, pagesAtByte, role, outlives, accelerator = 'tcg' } = options;
    const { pages: count, pageSizeBytes } = guest;
    const usedBytes = pagesAtByte + count * pageSizeBytes;
    const lengthBytes = Math.ceil(usedBytes / RAM_GRAIN_BYTES) * RAM_GRAIN_BYTES;
    if (lengthBytes > MOST_RAM_BYTES) {
      throw new Failure(
        `a guest of ${formatSize(count * pageSizeBytes)}: a PC has at most ${formatSize(MOST_RAM_BYTES - pagesAtByte)} for it in one piece, below 4 GiB`,
      );
    }
    // One that outlives this process is for `recover` to find, which removes its folder.
    if (outlives) orFailure(`cannot write ${folder}`, () => mkdirSync(folder, { mode: 0o700 }));
    else await makeOwnFolder(folder);
    const file = join(folder, 'ram');
    let ram: MappedFile | undefined;
    try {
      ram = await MappedFile.create(file, lengthBytes);
      const pages = inSegments(ram.bytes.subarray(pagesAtByte, usedBytes), pageSizeBytes);
      const read = options.prepare?.(ram.bytes, pages) ?? [];
      const qemu = await Qemu.start({
        ...options,
        ram: { file, lengthBytes },
        accelerator,
      });
      // Both of us have them open. However this process ends, no memory is left behind; a machine that outlives it keeps its.
      if (!outlives) for (const opened of [file, ...read]) unlinkSync(opened);
      if (role === 'receives') {
        await qemu.enable('x-ignore-shared');
        await qemu.qmp.execute('migrate-incoming', { uri: `unix:${stateSocketOf(folder)}` });
      }
      return { qemu, ram, pages, options };
    } catch (cause) {
      ram?.unmap();
      removeFolder(folder);
      throw cause;
    }
  }

  /** Also after its state was saved, for a guest that stays. */
  async run(): Promise<void> {
    await this.#saving.catch(() => {});
    await this.qemu.qmp.execute('cont');
  }

  /** Stops between two instructions. */
  async pause(): Promise<void> {
    await this.qemu.qmp.execute('stop');
  }

  /** Stops it for good, and says how far its guest has come. */
  abstract retire(): Promise<Retired>;

  /** SHA-256 of all memory, of which none is in the way of anything else for long. The guest must be paused. */
  async hash(): Promise<string> {
    const { bytes } = this.ram;
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE_BYTES) {
      hash.update(bytes.subarray(at, at + HASHED_AT_ONCE_BYTES));
      await setImmediate();
    }
    return hash.digest('hex');
  }

  /**
   * The device state: QEMU's own migration stream, which leaves out shared memory, read by us instead of another QEMU.
   * We send it to the destination like the pages, and a destination that does not get all of it does not get the guest.
   * The guest must be paused.
   */
  saveState(): Promise<Buffer> {
    const saved = this.#save();
    this.#saving = saved;
    // A failure is reported to the caller, who awaits this promise later.
    saved.catch(() => {});
    return saved;
  }

  async #save(): Promise<Buffer> {
    const server = createServer();
    const state = once(server, 'connection').then(([socket]) => buffer(socket));
    // Where QEMU fails, that is told, and nobody asks for the state.
    state.catch(() => {});
    try {
      await once(server.listen(this.#stateSocket), 'listening');
      await this.qemu.enable('x-ignore-shared');
      await this.qemu.qmp.execute('migrate', { uri: `unix:${this.#stateSocket}` });
      await this.qemu.migrationCompleted(STATE_MS);
      // QEMU can be done before its connection has been accepted here: a server that is closed then loses all of it.
      return deflateRawSync(await state, { level: 1 });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Loads the device state of another machine, whose memory has been copied. @throws Failure QEMU does not accept it. */
  async load(state: Buffer): Promise<void> {
    const bytes = inflateRawSync(state, { maxOutputLength: LARGEST_STATE_BYTES });
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.#stateSocket);
      socket.once('error', reject);
      socket.setTimeout(STATE_MS, () =>
        socket.destroy(new Failure('QEMU does not read the state of the machine')),
      );
      socket.end(bytes, resolve);
    });
    await this.qemu.migrationCompleted(STATE_MS);
  }

  /** Ends QEMU and frees its memory, which must not be read any more. */
  async end(): Promise<void> {
    await this.qemu.end();
    this.ram.unmap();
    removeFolder(this.#folder);
  }
}

/** The socket through which a machine's device state is saved or loaded. */
function stateSocketOf(folder: string): string {
  return join(folder, 'state');
}
