import { createHash } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { formatSize } from '../../core/units.ts';
import { Failure } from '../failure.ts';
import type { GuestSpec } from '../guests/programs.ts';
import type { HeartbeatAddress } from '../transfer/hello.ts';
import { bootImage } from './boot/image.ts';
import { PAGES_AT, page0 } from './boot/layout.ts';
import { bootRom } from './boot/program.ts';
import { makeFolder, removeFolder } from './machine-folder.ts';
import { MappedFile } from './mapped-file.ts';
import { Qemu } from './qemu.ts';

/** QEMU wants its memory in portions of this size. */
const RAM_GRAIN_BYTES = 8192;
/** Beyond this a PC's memory goes on above 4 GiB (hw/i386/pc_piix.c: lowmem). */
const MOST_RAM_BYTES = 3 * 2 ** 30;
/** Saving or loading what is not memory takes milliseconds; longer than this it hangs. */
const STATE_MS = 10_000;
const LARGEST_STATE_BYTES = 64 * 1024 * 1024;
const REST_MS = 5_000;

export interface MachineOptions {
  readonly folder: string;
  readonly heartbeats: HeartbeatAddress | null;
  readonly outlives: boolean;
  /** A new guest; one whose memory our receiver will fill; or one that QEMU takes in whole, by its own migration. */
  readonly role: 'new guest' | 'receives' | 'receives by QEMU';
  readonly accelerator?: 'tcg' | 'kvm';
}

const incoming = { 'new guest': 'no', receives: 'stands', 'receives by QEMU': 'runs' } as const;

/** A guest in a real virtual machine, its memory shared with us. It stands until it is told to run. */
export class Machine {
  readonly ram: MappedFile;
  readonly #qemu: Qemu;
  readonly #folder: string;
  readonly #usedBytes: number;
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(qemu: Qemu, ram: MappedFile, folder: string, usedBytes: number) {
    this.#qemu = qemu;
    this.ram = ram;
    this.#folder = folder;
    this.#usedBytes = usedBytes;
  }

  /** @throws Failure there is no QEMU here or no memory, or it does not start; nothing has been left behind. */
  static async create(guest: GuestSpec, options: MachineOptions): Promise<Machine> {
    const { folder, heartbeats: console, outlives, role, accelerator = 'tcg' } = options;
    const usedBytes = PAGES_AT + guest.pages * guest.pageSizeBytes;
    const lengthBytes = Math.ceil(usedBytes / RAM_GRAIN_BYTES) * RAM_GRAIN_BYTES;
    if (lengthBytes > MOST_RAM_BYTES) {
      throw new Failure(
        `a guest of ${formatSize(usedBytes)}: at most ${formatSize(MOST_RAM_BYTES)} lie in one piece in a PC`,
      );
    }
    const image = bootImage(guest);
    makeFolder(folder);
    const files = { ram: join(folder, 'ram'), rom: join(folder, 'rom') };
    let ram: MappedFile | undefined;
    try {
      ram = MappedFile.create(files.ram, lengthBytes);
      image.text.copy(ram.bytes);
      if (role === 'new guest') image.pages.copy(ram.bytes, PAGES_AT);
      writeFileSync(files.rom, bootRom());
      const qemu = await Qemu.start({
        folder,
        ram: { file: files.ram, lengthBytes },
        rom: files.rom,
        console,
        incoming: incoming[role],
        accelerator,
        outlives,
      });
      // Both of us have them open. However this process ends, no memory is left behind; a machine that outlives it keeps its.
      if (!outlives) for (const file of Object.values(files)) unlinkSync(file);
      const machine = new Machine(qemu, ram, folder, usedBytes);
      if (role === 'receives') {
        await qemu.enable('x-ignore-shared');
        await qemu.qmp.execute('migrate-incoming', { uri: `unix:${machine.#stateSocket}` });
      }
      return machine;
    } catch (cause) {
      ram?.unmap();
      removeFolder(folder);
      throw cause;
    }
  }

  /** The guest's pages. */
  get pages(): Buffer {
    return this.ram.bytes.subarray(PAGES_AT, this.#usedBytes);
  }

  /** For whoever has QEMU migrate it. */
  get qemu(): Qemu {
    return this.#qemu;
  }

  get pid(): number {
    return this.#qemu.pid;
  }

  vcpuThread(): Promise<number> {
    return this.#qemu.vcpuThread();
  }

  /** Also after its state was saved, for a guest that stays. */
  async run(): Promise<void> {
    await this.#saving.catch(() => {});
    await this.#qemu.run();
  }

  /** Stops between two instructions. */
  async stand(): Promise<void> {
    await this.#qemu.stand();
  }

  /** SHA-256 of all memory. The guest must stand. */
  hash(): string {
    return createHash('sha256').update(this.ram.bytes).digest('hex');
  }

  get steps(): number {
    return this.pages.readUInt32LE(page0.steps);
  }

  get heartbeats(): number {
    return this.pages.readUInt32LE(page0.heartbeats);
  }

  /** @throws Failure it has made none. */
  async makesSteps(withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    for (const before = this.steps; this.steps === before; await sleep(1)) {
      if (Date.now() > until) throw new Failure(`it starts, and does nothing in ${withinMs / 1000} s`);
    }
  }

  /** Has the guest, which runs, rest between two steps, and stops it there. */
  rest(): Promise<void> {
    this.pages.writeUInt32LE(0, page0.limit);
    return this.#rests(Date.now() + REST_MS);
  }

  /** Has the guest, which stands, make steps until it has made so many since boot, and rest there. */
  async advance(toSteps: number, withinMs: number): Promise<void> {
    // Before it runs: a guest that is behind its time would make many steps at once.
    this.pages.writeUInt32LE(toSteps, page0.limit);
    await this.run();
    const until = Date.now() + withinMs;
    while (this.steps < toSteps) {
      if (Date.now() > until) throw new Failure(`the guest has made ${this.steps} of ${toSteps} steps`);
      await sleep(1);
    }
    this.pages.writeUInt32LE(0, page0.limit);
    await this.#rests(until);
  }

  /** Whoever halts with nothing left to do halts in one place, with the same on its stack. */
  async #rests(until: number): Promise<void> {
    for (;;) {
      await sleep(3);
      await this.stand();
      if (await this.#isHalted()) return;
      if (Date.now() > until) throw new Failure('the guest does not come to rest');
      await this.#qemu.run();
    }
  }

  async #isHalted(): Promise<boolean> {
    const command = { 'command-line': 'info registers' };
    return /HLT=1/.test(await this.#qemu.qmp.execute<string>('human-monitor-command', command));
  }

  /**
   * What the machine is beyond its memory: QEMU's own migration stream, which leaves out shared memory, into our hands
   * instead of another QEMU's. So it reaches the other end as everything else does, and whoever does not get it, or
   * not all of it, has not been given the guest. The guest must stand.
   */
  saveState(): Promise<Buffer> {
    const saved = this.#save();
    this.#saving = saved;
    // Whoever needs it will hear of a failure when they ask.
    saved.catch(() => {});
    return saved;
  }

  async #save(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    const server = createServer((socket) =>
      socket.on('data', (piece) => pieces.push(piece)).on('error', () => {}),
    );
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(this.#stateSocket, resolve);
      });
      await this.#qemu.enable('x-ignore-shared');
      await this.#qemu.qmp.execute('migrate', { uri: `unix:${this.#stateSocket}` });
      await this.#qemu.migrationCompleted(STATE_MS);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    return deflateRawSync(Buffer.concat(pieces), { level: 1 });
  }

  /** Becomes the machine whose state this is; its memory must be there. @throws Failure QEMU does not take it. */
  async load(state: Buffer): Promise<void> {
    const bytes = inflateRawSync(state, { maxOutputLength: LARGEST_STATE_BYTES });
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.#stateSocket);
      socket.once('error', reject);
      socket.setTimeout(STATE_MS, () => socket.destroy(new Failure('QEMU does not read its state')));
      socket.end(bytes, resolve);
    });
    await this.#qemu.migrationCompleted(STATE_MS);
  }

  get #stateSocket(): string {
    return join(this.#folder, 'state');
  }

  /** Ends QEMU at once, whatever it is busy with; its memory stays until `end`. */
  abandon(): void {
    this.#qemu.kill();
  }

  /** Ends QEMU and frees its memory. Nobody may look at it any more. */
  async end(): Promise<void> {
    await this.#qemu.end();
    this.ram.unmap();
    removeFolder(this.#folder);
  }
}
