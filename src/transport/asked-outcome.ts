import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { WIRE_VERSION } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import type { Reply } from './replies.ts';
import type { FirstFrame } from './source-connection.ts';

/** How often it is asked. */
const ASK_EVERY_MS = 200;

/**
 * What became of a commit that was not answered? Asks over other connections, for as long as the answer might have taken.
 * @param open opens one and waits so long for the answer to its first frame; throws: there was none
 * @returns undefined: nobody has answered
 */
export async function askedOutcome(
  migration: string,
  silenceMs: number,
  open: (first: FirstFrame, silenceMs: number) => Promise<Reply>,
  pause: (ms: number) => Promise<unknown>,
): Promise<Reply | undefined> {
  const untilNs = clockNs() + silenceMs * NANOS_PER_MILLISECOND;
  const question = { type: 'ask', argument: WIRE_VERSION, payload: Buffer.from(migration) } as const;
  for (;;) {
    const leftMs = Math.round((untilNs - clockNs()) / NANOS_PER_MILLISECOND);
    if (leftMs <= 0) return undefined;
    try {
      return await open(question, leftMs);
    } catch {
      await pause(Math.min(ASK_EVERY_MS, leftMs));
    }
  }
}
