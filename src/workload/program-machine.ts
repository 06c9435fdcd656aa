import { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';
import type { SegmentedMemory } from '../platform/segmented-memory.ts';
import type { GuestMemory, Program, ProgramState } from './program.ts';

/**
 * Page 0, from its first byte: steps done, the time of the last one, heartbeats sent, the time of the next
 * (doubles); the random state (four words); the program's ten registers (doubles).
 */
const STEPS = 0;
const TIME = 1;
const HEARTBEATS = 2;
const NEXT_HEARTBEAT = 3;
const RANDOM_AT_BYTE = 32;
const REGISTERS_AT_BYTE = 48;
const REGISTERS = 10;

/**
 * A guest that can run: its memory and its program. All its state lies in its pages, so two machines over equal
 * memories are the same guest, and steps decide everything: n steps lead to the same memory wherever, whenever
 * and however fast they are made.
 */
export class ProgramMachine {
  readonly #memory: GuestMemory;
  readonly #program: Program;
  readonly #heartbeatPeriodNs: Nanos;
  readonly #registers: Float64Array;
  readonly #state: ProgramState;

  constructor(memory: GuestMemory, program: Program, heartbeatPeriodNs: Nanos) {
    const { buffer, byteOffset } = memory.wordsOf(0);
    this.#memory = memory;
    this.#program = program;
    this.#heartbeatPeriodNs = heartbeatPeriodNs;
    this.#registers = new Float64Array(buffer, byteOffset, RANDOM_AT_BYTE / 8);
    this.#state = {
      memory,
      random: new Random(new Uint32Array(buffer, byteOffset + RANDOM_AT_BYTE, 4)),
      registers: new Float64Array(buffer, byteOffset + REGISTERS_AT_BYTE, REGISTERS),
    };
  }

  /** Fills the memory of a new guest, no page of it zero but the last `zeroPages`, and sets its registers. */
  boot(seed: number, zeroPages = 0): void {
    const memory = this.#memory;
    const pages = memory.pages - zeroPages;
    const length = memory.pageSizeBytes / 4;
    const random = Random.seeded(seed);
    const first = memory.wordsOf(0).subarray(0, length);
    for (let i = 0; i < length; i++) first[i] = random.bits();
    for (let page = 1; page < pages; page++) {
      const words = memory.wordsOf(page);
      const at = memory.firstWordOf(page);
      words.set(first, at);
      words[at] = page;
      words[at + length - 1] = 0;
    }
    first.fill(0, 0, (REGISTERS_AT_BYTE + REGISTERS * 8) / 4);
    this.#state.random.reseed(seed);
    this.#registers[NEXT_HEARTBEAT] = this.#program.ownHeartbeat
      ? Number.POSITIVE_INFINITY
      : this.#heartbeatPeriodNs;
    this.#program.boot(this.#state);
  }

  /** Steps made since the guest was booted. */
  get steps(): number {
    return this.#registers[STEPS]!;
  }

  /** Heartbeats due so far; they are numbered from 1. */
  get heartbeats(): number {
    return this.#registers[HEARTBEATS]!;
  }

  get stepCpuNs(): Nanos {
    return this.#program.stepCpuNs;
  }

  /** The guest time of the last step. */
  get timeNs(): Nanos {
    return this.#registers[TIME]!;
  }

  /** The guest time at which the next step is due. */
  nextAtNs(): Nanos {
    return Math.min(this.#program.nextAtNs(this.#state), this.#registers[NEXT_HEARTBEAT]!);
  }

  /** The guest time at which the next step of the program is due, whatever its heart does. */
  nextOfProgramAtNs(): Nanos {
    return this.#program.nextAtNs(this.#state);
  }

  /** Makes the next step, of the program or of the heart. True: heartbeat number `heartbeats` is to be sent. */
  step(): boolean {
    const registers = this.#registers;
    const programAtNs = this.#program.nextAtNs(this.#state);
    const heartbeatAtNs = registers[NEXT_HEARTBEAT]!;
    let beats = true;
    if (programAtNs <= heartbeatAtNs) {
      registers[TIME] = programAtNs;
      beats = this.#program.step(this.#state);
    } else {
      registers[TIME] = heartbeatAtNs;
      registers[NEXT_HEARTBEAT] = heartbeatAtNs + this.#heartbeatPeriodNs;
    }
    if (beats) registers[HEARTBEATS]! += 1;
    registers[STEPS]! += 1;
    this.#memory.mark(0);
    return beats;
  }
}

/** How far a guest has come, by its memory; while it runs, at about this moment. */
export function progressOf({ segments }: Pick<SegmentedMemory, 'segments'>): {
  readonly steps: number;
  readonly heartbeats: number;
} {
  const { buffer, byteOffset } = segments[0]!;
  const registers = new Float64Array(buffer, byteOffset, RANDOM_AT_BYTE / 8);
  return { steps: registers[STEPS]!, heartbeats: registers[HEARTBEATS]! };
}
