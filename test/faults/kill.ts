import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { End } from '../../src/core/wire/handover.ts';
import { migrated, outcomeOf } from './case.ts';
import type { Outcome } from './faults.ts';
import { definition, guest, type Lane } from './lane.ts';
import { isAfterCommit, Passage, type Phase } from './phases.ts';
import { ByteProxy, type PassingFrame } from './proxy.ts';

/** Who is killed, at which frame, and how long after it. */
export interface Kill {
  readonly end: End;
  /** The first frame for which it holds. */
  readonly at: (passage: Passage) => boolean;
  readonly afterMs: number;
}

/**
 * One end is killed at an instant of an undisturbed migration.
 * @returns in which phase, and how it ended, all that must hold afterwards having been seen
 */
export async function carryOutKilled(
  lane: Lane,
  { end, at, afterMs }: Kill,
): Promise<{ phase: Phase | 'afterwards'; outcome: Outcome }> {
  await lane.restart();
  const { source, destination } = lane;
  await source.ask('boot', definition);
  const passage = new Passage();
  let phase: Phase | 'afterwards' = 'afterwards';
  let killed: Promise<void> | undefined;
  const awaited = (frame: PassingFrame) => {
    passage.see(frame);
    return at(passage);
  };
  const proxy = await ByteProxy.start(destination.port, awaited, (frame, wire) => {
    const kill = () => {
      phase = passage.phase;
      lane[end].signal('SIGKILL');
    };
    killed = sleep(afterMs).then(kill);
    wire.send(frame.way, frame.bytes);
  });
  const verdict = await migrated(source, proxy.port);
  // A migration with fewer frames than the one that was counted.
  if (!killed) lane[end].signal('SIGKILL');
  await killed;
  await lane.gone(end);
  await lane.quiet();
  await proxy.end();
  const outcome = await outcomeOf(lane, verdict);
  expect(allowedAfterKill(end, passage.phase), `${passage.phase} was the last that passed`).toContain(
    outcome,
  );
  return { phase, outcome };
}

/** What may come of it, by the last frame that the proxy saw: a commit that has passed reaches whoever lives. */
function allowedAfterKill(end: End, last: Phase): readonly Outcome[] {
  if (end === 'source') {
    return isAfterCommit(last) ? ['the destination runs it'] : ['died with the source, which owns it'];
  }
  if (last === 'running') return ['died with the destination, which owns it'];
  if (last === 'commit') return ['nobody, then source', 'died with the destination, which owns it'];
  if (last === 'ready') return ['failed, source', 'nobody, then source'];
  return last === 'set-up' ? ['refused, source', 'failed, source'] : ['failed, source'];
}

/** How many frames pass in a migration that nothing disturbs. */
export async function framesOf(lane: Lane): Promise<number> {
  await lane.restart();
  const { source, destination } = lane;
  await source.ask('boot', definition);
  const passage = new Passage();
  const counts = (frame: PassingFrame) => {
    passage.see(frame);
    return false;
  };
  const proxy = await ByteProxy.start(destination.port, counts, () => {});
  expect(await migrated(source, proxy.port)).toMatchObject({ outcome: 'completed' });
  await lane.settled();
  await proxy.end();
  await destination.ask('remove', guest.name);
  return passage.frames;
}
