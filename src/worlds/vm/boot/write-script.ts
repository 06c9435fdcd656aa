import type { ProgramMachine } from '../../../workload/program-machine.ts';
import { HEARTBEAT_BIT, LONGEST_SCRIPT, SCRIPT_ENTRY_BYTES, TICK_NS } from './memory-layout.ts';

/** So much of the guest's life is recorded, if there is room for it; then it begins again. */
const LONGEST_NS = 120e9;

/**
 * The guest's own program, recorded step by step: when each is due, and which page it writes. So the boot program
 * runs every program there is, and a VM writes the same pages at the same times of its life as any other guest of
 * the same seed.
 * @param machine newly booted
 * @param written the page, other than page 0, that the step just made has written; 0: none
 */
export function recordWriteScript(machine: ProgramMachine, written: () => number): Buffer {
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
