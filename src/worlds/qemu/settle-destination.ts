import { printable } from '../../platform/failure.ts';
import { isEnding, type KnownMachine, migrationStatus, monitorOf } from '../../qemu/known-machine.ts';
import type { Qmp } from '../../qemu/qmp.ts';

/** What became of a machine that was on its way when whoever moved it was killed. */
export const settledStates = [
  'runs at its destination',
  'stands paused at its destination',
  'stayed at its source',
  'left alone',
] as const;

export interface Settled {
  readonly did: (typeof settledStates)[number];
  /** Why it was left alone, or what is still to be looked at. */
  readonly reason?: string | undefined;
}

/** What is right for the QEMU at the destination, by what its source says: the machine is its, or never was. */
export const verdicts = ['run', 'stay paused', 'end'] as const;
export type Verdict = (typeof verdicts)[number];

/** Does that with the QEMU at the destination, on its host. @throws Failure it cannot be asked */
export function settleDestination(machine: KnownMachine, verdict: Verdict): Promise<Settled> {
  if (verdict === 'end') {
    const stayed = { did: 'stayed at its source' } as const;
    return withMonitor(machine, async (qmp) => abandon(qmp).then(() => stayed), stayed);
  }
  const ended = leftAlone('its source has given it away, and its destination has ended');
  return withMonitor(machine, (qmp) => run(qmp, verdict === 'stay paused'), ended);
}

/** @param gone what it comes to if that QEMU has ended, or ends meanwhile */
export async function withMonitor<T>(
  machine: KnownMachine,
  act: (qmp: Qmp) => Promise<T>,
  gone: T,
): Promise<T> {
  let qmp: Qmp | undefined;
  try {
    qmp = await monitorOf(machine);
    return qmp ? await act(qmp) : gone;
  } catch (cause) {
    if (await isEnding(machine)) return gone;
    throw cause;
  } finally {
    qmp?.close();
  }
}

export async function runState(qmp: Qmp): Promise<string> {
  return (await qmp.execute<{ readonly status: string }>('query-status')).status;
}

export function leftAlone(reason: string): Settled {
  return { did: 'left alone', reason };
}

/** What has come there must not run. A machine that runs there was somebody's decision. */
async function abandon(qmp: Qmp): Promise<void> {
  const state = await runState(qmp);
  if (state === 'inmigrate' || state === 'paused') await qmp.execute('quit');
}

async function run(qmp: Qmp, staysPaused: boolean): Promise<Settled> {
  const state = await runState(qmp);
  if (state === 'running') return { did: 'runs at its destination' };
  if (state !== 'paused' || (await migrationStatus(qmp)) !== 'completed') {
    return leftAlone(`its source has given it away, and its destination is '${printable(state)}'`);
  }
  if (staysPaused) return { did: 'stands paused at its destination' };
  await qmp.execute('cont');
  return { did: 'runs at its destination' };
}
