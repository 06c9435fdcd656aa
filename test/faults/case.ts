import { expect } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import { same, until } from '../fixtures/until.ts';
import type { Fault, Outcome } from './faults.ts';
import type { HostProcess } from './host-process.ts';
import { definition, guest, type Lane, plan } from './lane.ts';
import { frameOf, type Phase } from './phases.ts';
import { ByteProxy } from './proxy.ts';

/** How the source took it: a record, a refusal before there was one, or its death. */
type Verdict = MigrationResult | { readonly refused: string } | 'died';

const SILENCE_MS = 1_500;
const PATIENCE_MS = 5_000;
const WATCHED_NS = 1e9;

/** The migration ended before the phase, as it may where the machine stands for longer than a patience lasts. */
export class NotReached extends Error {}

/**
 * One fault in one phase of one migration between two processes, and all that must hold afterwards.
 * @throws NotReached there was nothing to see
 * @returns how it ended, and the reason that the source gave
 */
export async function carryOut(
  lane: Lane,
  fault: Fault,
  phase: Phase,
): Promise<{ outcome: Outcome; reason: string }> {
  await lane.ready();
  const { source, destination } = lane;
  const before = [await heldBy(source), await heldBy(destination)];
  await source.ask('boot', definition);
  const powers = {
    killSource: () => source.signal('SIGKILL'),
    killDestination: () => destination.signal('SIGKILL'),
    freezeDestination: () => destination.signal('SIGSTOP'),
    cancel: () =>
      Promise.allSettled(['not now', 'not now either'].map((why) => source.ask('cancel', guest.name, why))),
  };
  const proxy = await ByteProxy.start(destination.port, frameOf(phase), fault.strike(powers));
  let verdict: Verdict;
  try {
    verdict = await migrated(source, proxy.port, fault);
    if (!proxy.struck) throw new NotReached(`it ended before ${phase}: ${reasonOf(verdict)}`);
  } finally {
    destination.signal('SIGCONT');
  }
  await lane.quiet();
  await proxy.end();
  const outcome = await outcomeOf(lane, verdict);
  await expectNothingLeft([source, destination], before);
  const reason = reasonOf(verdict);
  if (reason !== '') expect(reason).toMatch(fault.reason);
  return { outcome, reason };
}

export async function migrated(source: HostProcess, port: number, fault?: Fault): Promise<Verdict> {
  const silenceMs = fault?.isSilent ? SILENCE_MS : PATIENCE_MS;
  const watched = fault?.watched ? { ...plan, stopTimeoutNs: WATCHED_NS } : plan;
  const target = { host: '127.0.0.1', port, key: null, silenceMs };
  try {
    return await source.ask('migrate', guest.name, watched, freeCpu, target);
  } catch (cause) {
    return source.lives ? { refused: (cause as Error).message } : 'died';
  }
}

/** Ends what uncertainty there is, names how it all ended, and sees that it ended well. */
export async function outcomeOf(lane: Lane, verdict: Verdict): Promise<Outcome> {
  const outcome = await settled(lane, verdict);
  await expectOneWholeRunner(lane, outcome);
  await expectNextWorks(lane, outcome);
  await lane.settled();
  return outcome;
}

async function settled(lane: Lane, verdict: Verdict): Promise<Outcome> {
  if (verdict === 'died' || !lane.source.lives) {
    const owner = await lane.recovered();
    // The hello of a source that is gone may be read only now.
    const [, there] = await lane.quiet();
    expect(owner, 'the journals name another').not.toBe(there ? 'source' : 'destination');
    return there ? 'the destination runs it' : 'died with the source, which owns it';
  }
  if ('refused' in verdict) return 'refused, source';
  if (verdict.owner === 'nobody') {
    expect((await lane.at(lane.source))!.state).toBe('unsettled');
    expect(verdict.reason).toContain('after the commit: the destination may run the guest');
    const owner = (await lane.recovered())!;
    await lane.source.ask('settle', guest.name, owner);
    return lane[owner].lives ? `nobody, then ${owner}` : 'died with the destination, which owns it';
  }
  if (verdict.outcome === 'completed') {
    return lane.destination.lives ? 'completed' : 'died with the destination, which owns it';
  }
  expect(verdict.owner).toBe('source');
  return `${verdict.outcome}, source` as Outcome;
}

function ownerOf(outcome: Outcome): 'source' | 'destination' {
  return outcome.includes('source') ? 'source' : 'destination';
}

/** Nobody else has it, in whatever state; and it is whole. */
async function expectOneWholeRunner(lane: Lane, outcome: Outcome): Promise<void> {
  const states = await lane.quiet();
  if (outcome.startsWith('died')) return expect(states).toEqual([undefined, undefined]);
  const owner = ownerOf(outcome);
  expect(states).toEqual(owner === 'source' ? ['running', undefined] : [undefined, 'running']);
  await lane.expectWhole(lane[owner]);
}

/** The guest moves on: from where it is, or from where its owner starts it again. */
async function expectNextWorks(lane: Lane, outcome: Outcome): Promise<void> {
  const { source, destination } = lane;
  const owner = ownerOf(outcome);
  if (!source.lives || !destination.lives) await lane.restart();
  if (outcome.startsWith('died')) await lane[owner].ask('boot', definition);
  const [from, to] = owner === 'source' ? [lane.source, lane.destination] : [lane.destination, lane.source];
  await lane.migrate(from, to);
  await lane.expectWhole(to);
  await to.ask('remove', guest.name);
}

async function heldBy(host: HostProcess) {
  const { descriptors, threads } = await host.ask('held');
  return { descriptors, threads };
}

/** Descriptors and threads, that is sockets, journals, guests, senders; of whoever has lived through it. */
async function expectNothingLeft(
  hosts: readonly HostProcess[],
  before: readonly Awaited<ReturnType<typeof heldBy>>[],
): Promise<void> {
  for (const [index, host] of hosts.entries()) {
    if (!host.lives) continue;
    await until('nothing is left', () => heldBy(host), same(before[index]!));
  }
}

/** Why the source says that nothing, or nothing certain, came of it. */
function reasonOf(verdict: Verdict): string {
  if (verdict === 'died') return '';
  if ('refused' in verdict) return verdict.refused;
  return verdict.outcome === 'completed' ? '' : verdict.reason;
}
