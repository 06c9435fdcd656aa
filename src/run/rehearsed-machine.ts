import { encodeRecording } from '../observe/recording-file.ts';
import { recordRehearsal } from '../observe/rehearsed-recording.ts';
import { writtenThroughout } from '../observe/written-throughout.ts';
import type { Borrowing } from '../qemu/borrowed-settings.ts';
import { QEMU_WINDOW_NS } from '../qemu/stream-layout.ts';
import { machineDevice } from '../scenario/machine-plan.ts';
import { machineDefinition } from '../scenario/requested-machine.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { traceOf } from '../workload/trace.ts';

/** As `switchover migrate --target` rehearses. */
const REHEARSED_NS = 5e9;

/**
 * What a machine of somebody else is, with what its programs write: that is found out by a rehearsal of it, and for what is promised
 * the worst of it is taken.
 * @throws Failure it cannot be rehearsed, or `signal` came before its memory had been sent once
 */
export async function rehearsedMachine(
  name: string,
  borrowing: Borrowing,
  signal: AbortSignal,
): Promise<GuestDefinition> {
  const times = { forNs: REHEARSED_NS, intervalNs: QEMU_WINDOW_NS };
  const recorded = writtenThroughout(await recordRehearsal(borrowing, { ...times, signal }));
  const program = traceOf(encodeRecording(recorded), `the rehearsal of ${name}`);
  const { guest, reservation } = machineDefinition({ name, pages: recorded.numbers.pages });
  return { guest: { ...guest, program, device: machineDevice }, reservation };
}
