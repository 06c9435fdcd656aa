import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Kills a process, unless it has ended or has never come to be, and returns when it has ended. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
