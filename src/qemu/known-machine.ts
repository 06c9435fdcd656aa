import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure, printable } from '../platform/failure.ts';
import { connectMonitor, isMonitorThere } from './connect-monitor.ts';
import type { Qmp } from './qmp.ts';

/** A machine that is written down, to be found again by another process. */
export const knownMachineSchema = z.strictObject({
  /** Of its monitor, whole. */
  socket: z.string(),
  /** The threads of its processors on its host: another machine may listen there later. */
  machine: z.array(z.number()).readonly(),
});
export type KnownMachine = z.infer<typeof knownMachineSchema>;

/** A migration of its own ends so long after whoever began it. */
const ENDS_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 20;
/** A QEMU that has hung up is gone after so long, if it ends. */
const GONE_WITHIN_MS = 2_000;
/** Words for a migration that is over, or never was; QEMU has more and more for one that goes on. */
const IDLE = ['none', 'completed', 'failed', 'cancelled'];
export const isMigrating = (status: string) => !IDLE.includes(status);

/** The threads of its processors, which no other machine of this host has. */
export async function threadsOf(qmp: Qmp): Promise<readonly number[]> {
  const processors = await qmp.execute<readonly { readonly 'thread-id': number }[]>('query-cpus-fast');
  return processors.map((processor) => processor['thread-id']);
}

/**
 * Its monitor, if it is still there.
 * @returns undefined: it has ended, whoever listens there now
 * @throws Failure its monitor is there, and cannot be used
 */
export async function monitorOf({ socket, machine }: KnownMachine): Promise<Qmp | undefined> {
  if (!(await isMonitorThere(socket))) return undefined;
  const qmp = await connectMonitor(socket);
  try {
    if ((await threadsOf(qmp)).join() === machine.join()) return qmp;
  } catch (cause) {
    qmp.close();
    throw cause;
  }
  qmp.close();
  return undefined;
}

/** Whether it ends, so that its monitor fails: a QEMU whose incoming stream breaks off does so by itself, also while it is asked. */
export async function isEnding({ socket }: KnownMachine): Promise<boolean> {
  const until = performance.now() + GONE_WITHIN_MS;
  while (await isMonitorThere(socket)) {
    if (performance.now() > until) return false;
    await sleep(ASK_EVERY_MS);
  }
  return true;
}

/** @returns how its last migration has ended @throws Failure one goes on, which may be somebody else's */
export async function untilIdle(qmp: Qmp): Promise<string> {
  const until = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const status = await migrationStatus(qmp);
    if (!isMigrating(status)) return status;
    if (performance.now() > until) throw new Failure(`its migration is still ${printable(status)}`);
    await sleep(ASK_EVERY_MS);
  }
}

export async function migrationStatus(qmp: Qmp): Promise<string> {
  const { status = 'none' } = await qmp.execute<{ readonly status?: string }>('query-migrate');
  return status;
}
