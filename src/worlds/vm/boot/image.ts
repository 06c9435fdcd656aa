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

/** What a PC's memory holds before its processor is started. */
export interface BootImage {
  /** From address 0 on: the same at both ends, made from the guest's description. */
  readonly text: Buffer;
  /** From 1 MiB on: the guest's pages as a new guest finds them. */
  readonly pages: Buffer;
}

/** @throws Failure a program that only virtual time can follow. */
export function bootImage(guest: GuestSpec): BootImage {
  const { pages, pageSizeBytes, zeroPages } = guest;
  const words = new Uint32Array((pages * pageSizeBytes) / 4);
  let lastWritten = 0;
  const mark = (page: number) => {
    // Every step ends by marking page 0, where its registers are.
    if (page !== 0) lastWritten = page;
  };
  const program = programOf(guest);
  const machine = new ProgramMachine({ pages, pageSizeBytes, words, mark }, program, guest.heartbeatPeriodNs);
  machine.boot(guest.seed, zeroPages);
  const fresh = Buffer.from(words.slice().buffer);
  const script = recordWriteScript(machine, () => {
    const page = lastWritten;
    lastWritten = 0;
    return page;
  });
  const stepCpuTicks = Math.round((program.stepCpuNs + guest.cpuPerWriteNs) / TICK_NS);
  return { text: textOf(script, pageSizeBytes, stepCpuTicks), pages: withRegisters(fresh, script) };
}

/**
 * The guest's own program, recorded step by step: when each is due, and which page it writes. So the boot program
 * runs every program there is, and a VM writes the same pages at the same times of its life as any other guest of
 * the same seed.
 * @param machine newly booted
 * @param written the page, other than page 0, that the step just made has written; 0: none
 */
function recordWriteScript(machine: ProgramMachine, written: () => number): Buffer {
  const script = Buffer.alloc(LONGEST_SCRIPT * SCRIPT_ENTRY_BYTES);
  let lengthBytes = 0;
  let previousTicks = 0;
  while (lengthBytes < script.length) {
    const dueNs = machine.nextAtNs();
    if (dueNs >= LONGEST_NS) break;
    const beats = machine.step();
    const dueTicks = Math.round(dueNs / TICK_NS);
    script.writeUInt32LE(dueTicks - previousTicks, lengthBytes);
    script.writeUInt32LE((written() | (beats ? HEARTBEAT_BIT : 0)) >>> 0, lengthBytes + 4);
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
function withRegisters(pages: Buffer, script: Buffer): Buffer {
  pages.fill(0, 0, page0.stackTop);
  pages.writeUInt32LE(0xffff_ffff, page0.limit);
  pages.writeUInt32LE(script.readUInt32LE(0), page0.due);
  return pages;
}
