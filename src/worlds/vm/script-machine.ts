import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, orFailure } from '../../platform/failure.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { Retired } from '../../transport/payloads.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { bootRom } from './boot/boot-program.ts';
import { bootImage } from './boot/image.ts';
import { HALTED_FLAGS, PAGES_AT, page0 } from './boot/memory-layout.ts';
import { VirtualMachine, type VirtualMachineOptions } from './virtual-machine.ts';

const HALT_MS = 5_000;
/** A copy makes up for what another has run; on a busy machine that takes its time. */
const MOST_CATCHING_UP_MS = 10_000;

export interface ScriptMachineOptions
  extends Pick<VirtualMachineOptions, 'folder' | 'outlives' | 'role' | 'accelerator'> {
  readonly heartbeats: HeartbeatAddress | null;
}

/** A guest that replays its script in a real virtual machine. */
export class ScriptMachine extends VirtualMachine {
  /** @throws Failure there is no QEMU here or no memory, or it does not start; nothing has been left behind. */
  static async create(guest: GuestSpec, options: ScriptMachineOptions): Promise<ScriptMachine> {
    const { heartbeats, role, ...others } = options;
    const image = bootImage(guest);
    const rom = join(options.folder, 'rom');
    const parts = await VirtualMachine.start({
      ...others,
      role,
      guest,
      pagesAtByte: PAGES_AT,
      devices: devicesOf(rom, heartbeats),
      prepare: (ram, pages) => {
        image.text.copy(ram);
        if (role === 'new guest') image.fill(pages);
        orFailure(`cannot write ${rom}`, () => writeFileSync(rom, bootRom()));
        return [rom];
      },
    });
    return new ScriptMachine(parts);
  }

  /** The memory of page 0. */
  get #page0(): Buffer {
    return this.pages.segmentOf(0);
  }

  get steps(): number {
    return this.#page0.readUInt32LE(page0.steps);
  }

  get heartbeats(): number {
    return this.#page0.readUInt32LE(page0.heartbeats);
  }

  async retire(): Promise<Retired> {
    await this.halt();
    return { steps: this.steps, heartbeats: this.heartbeats, sha256: await this.hash() };
  }

  /** @throws Failure it has made none. */
  async makesSteps(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    for (const before = this.steps; this.steps === before; await sleep(1)) {
      if (performance.now() > until)
        throw new Failure(`the guest did not start its program within ${withinMs / 1000} s`);
    }
  }

  /** Has the guest, which runs, halt between two steps, and pauses it there. */
  halt(): Promise<void> {
    this.#page0.writeUInt32LE(0, page0.limit);
    return this.#halted(performance.now() + HALT_MS);
  }

  /** Has the guest, which is paused, make steps until it has made so many since boot, and halt there. */
  async advance(toSteps: number, withinMs: number): Promise<void> {
    // Before it runs: a guest that is behind its time would make many steps at once.
    this.#page0.writeUInt32LE(toSteps, page0.limit);
    await this.run();
    const until = performance.now() + withinMs;
    while (this.steps < toSteps) {
      if (performance.now() > until)
        throw new Failure(`the guest made only ${this.steps} of ${toSteps} steps in time`);
      await sleep(1);
    }
    this.#page0.writeUInt32LE(0, page0.limit);
    await this.#halted(until);
  }

  /** The same, for a copy that makes up for a guest which has run on for so long. @returns SHA-256 of its memory then */
  async replay(toSteps: number, ranOnMs: number): Promise<string> {
    await this.advance(toSteps, MOST_CATCHING_UP_MS + 2 * ranOnMs);
    return this.hash();
  }

  /**
   * A guest with nothing left to do halts in one place. What its last step left on the stack is still there until the
   * timer interrupts it, which a busy host may put off; from then on the stack is the same for every such guest.
   */
  async #halted(until: number): Promise<void> {
    for (;;) {
      await sleep(3);
      await this.pause();
      if (this.#wasInterrupted && (await this.#isHalted())) return;
      if (performance.now() > until) throw new Failure('the guest did not halt in time');
      await this.run();
    }
  }

  get #wasInterrupted(): boolean {
    return this.#page0.readUInt32LE(page0.stackTop - 4) === HALTED_FLAGS;
  }

  async #isHalted(): Promise<boolean> {
    const command = { 'command-line': 'info registers' };
    return /HLT=1/.test(await this.qemu.qmp.execute<string>('human-monitor-command', command));
  }
}

function devicesOf(rom: string, heartbeats: HeartbeatAddress | null): readonly string[] {
  const console = heartbeats && [
    ...['-chardev', `socket,id=console,host=${heartbeats.host},port=${heartbeats.port},nodelay=on`],
    ...['-device', 'isa-debugcon,chardev=console'],
  ];
  return ['-bios', rom, ...(console ?? [])];
}
