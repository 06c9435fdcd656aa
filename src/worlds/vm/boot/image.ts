import type { SegmentedMemory } from '../../../platform/segmented-memory.ts';
import { type GuestMemory, guestMemory, type Program } from '../../../workload/program.ts';
import { ProgramMachine } from '../../../workload/program-machine.ts';
import { type GuestSpec, programOf } from '../../../workload/programs.ts';
import { bootProgram, descriptorTables } from './boot-program.ts';
import {
  CODE_AT,
  HEARTBEAT_BIT,
  LONGEST_SCRIPT,
  page0,
  SCRIPT_AT,
  SCRIPT_ENTRY_BYTES,
  TEXT_END,
  TICK_NS,
} from './memory-layout.ts';

/** So much of the guest's life is recorded, if there is room for it; then it begins again. */
const LONGEST_NS = 120e9;

const SHORT_PAGE_BYTES = 512;

/** What a PC's memory holds before its processor is started. */
export interface BootImage {
  /** From address 0 on: the same at both ends, made from the guest's description. */
  readonly text: Buffer;
  /** Fills the memory of a new guest, from 1 MiB on, all zeros so far. */
  fill(memory: SegmentedMemory): void;
}

/** @throws Failure a program that only virtual time can follow. */
export function bootImage(guest: GuestSpec): BootImage {
  const { pageSizeBytes, zeroPages, seed, heartbeatPeriodNs } = guest;
  const program = programOf(guest);
  const script = recordWriteScript(guest, program);
  const stepCpuTicks = Math.round((program.stepCpuNs + guest.cpuPerWriteNs) / TICK_NS);
  return {
    text: textOf(script, pageSizeBytes, stepCpuTicks),
    fill(memory) {
      const unmarked = guestMemory(memory, () => {});
      const machine = new ProgramMachine(unmarked, program, heartbeatPeriodNs);
      machine.boot(seed, zeroPages);
      setRegisters(memory.segmentOf(0), script);
    },
  };
}

/**
 * The guest's own program, recorded step by step: when each is due, and which page it writes. So the boot program
 * runs every program there is, and a VM writes the same pages at the same times of its life as any other guest of
 * the same seed.
 */
function recordWriteScript({ heartbeatPeriodNs, seed }: GuestSpec, program: Program): Buffer {
  // What is due when follows from the registers in page 0 alone: the pages may be short, and all others the same one.
  const wordsPerPage = SHORT_PAGE_BYTES / 4;
  const words = new Uint32Array(2 * wordsPerPage);
  let lastWritten = 0;
  const memory: GuestMemory = {
    ...{ pages: 1, pageSizeBytes: SHORT_PAGE_BYTES },
    wordsOf: () => words,
    firstWordOf: (page) => (page === 0 ? 0 : wordsPerPage),
    mark(page) {
      // Every step ends by marking page 0, where its registers are.
      if (page !== 0) lastWritten = page;
    },
  };
  const machine = new ProgramMachine(memory, program, heartbeatPeriodNs);
  machine.boot(seed);
  const script = Buffer.alloc(LONGEST_SCRIPT * SCRIPT_ENTRY_BYTES);
  let lengthBytes = 0;
  let previousTicks = 0;
  while (lengthBytes < script.length) {
    const dueNs = machine.nextAtNs();
    if (dueNs >= LONGEST_NS) break;
    lastWritten = 0;
    const beats = machine.step();
    const dueTicks = Math.round(dueNs / TICK_NS);
    script.writeUInt32LE(dueTicks - previousTicks, lengthBytes);
    script.writeUInt32LE((lastWritten | (beats ? HEARTBEAT_BIT : 0)) >>> 0, lengthBytes + 4);
    lengthBytes += SCRIPT_ENTRY_BYTES;
    previousTicks = dueTicks;
  }
  return script.subarray(0, lengthBytes);
}

function textOf(script: Buffer, pageSizeBytes: number, stepCpuTicks: number): Buffer {
  const text = Buffer.alloc(TEXT_END);
  const { code, timerAt } = bootProgram({
    pageSizeBytes,
    scriptEntries: script.length / SCRIPT_ENTRY_BYTES,
    stepCpuTicks,
  });
  code.copy(text, CODE_AT);
  for (const { at, bytes } of descriptorTables(timerAt)) bytes.copy(text, at);
  script.copy(text, SCRIPT_AT);
  return text;
}

/** Page 0 as the boot program expects it. */
function setRegisters(pages: Buffer, script: Buffer): void {
  pages.fill(0, 0, page0.stackTop);
  pages.writeUInt32LE(0xffff_ffff, page0.limit);
  pages.writeUInt32LE(script.readUInt32LE(0), page0.due);
}
