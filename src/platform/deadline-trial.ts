import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Reservation } from '../core/cpu/reservation.ts';
import { kill } from './child-process.ts';
import { type ErrorCode, setDeadline } from './thread-scheduling.ts';

/** A process that only waits, with the reservation that a thread is to have which is not there yet. */
export interface DeadlineTrial {
  /** What the kernel says against it. */
  readonly refusal: ErrorCode;
  end(): Promise<void>;
}

/** Asks the kernel's admission for one reservation more. The process ends with this one, however this one ends. */
export async function tryDeadline(reservation: Reservation): Promise<DeadlineTrial> {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const began = once(child, 'spawn').then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause.code ?? 'ENOENT',
  );
  const refusal = (await began) ?? setDeadline(reservation, { reclaim: false, thread: child.pid! });
  return { refusal, end: () => kill(child) };
}
