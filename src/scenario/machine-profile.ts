import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PredictedMachine } from '../core/machine-costs.ts';
import { usageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';
import { checked } from './checked.ts';
import { object } from './object-schema.ts';
import { freeName, whole } from './quantity.ts';
import { parseYaml } from './yaml-file.ts';

/** What a machine's profile says: the machine, and what things cost on it, each as a median, a 95 % quantile and a count. */
const atLeastZero = z.number('a number of at least 0').min(0, 'a number of at least 0');

const cost = object('Cost', undefined, 'a cost: { median, p95, samples }', {
  median: atLeastZero,
  p95: atLeastZero.describe('What 95 of 100 do not exceed.'),
  samples: whole(1).describe('How many measurements these are of.'),
}).refine(({ median, p95 }) => p95 >= median, { path: ['p95'], error: 'at least the median' });

const handover = {
  pauseNs: cost.describe('The time of the memory part in which no page leaves.'),
  stateNs: cost.describe('From the last page to the destination’s answer that it has the same.'),
  verifyNsPerMebibyte: cost.describe('Hashing a MiB of memory at both ends at once.'),
  commitNs: cost.describe('From there until the destination has the commit.'),
  resumeNs: cost.describe('Waking the guest at the destination.'),
};

const words = freeName(200);

export const machineProfileSchema = object('Machine profile', undefined, 'a machine profile', {
  schema: z.literal('switchover.machine/1', 'switchover.machine/1'),
  name: words.describe('What tables and records call it.'),
  machine: object('Machine', undefined, 'a machine: { processor, … }', {
    processor: words,
    processors: whole(1),
    kernel: words,
    node: words,
    switchover: words.describe('The version that measured.'),
    measuredAt: words.describe('ISO 8601.'),
    loadAverage: atLeastZero.describe('Of the minute before: how many threads of others wanted to run.'),
  }),
  costs: object('Costs', undefined, 'costs: { threadSwitchNs, … }', {
    threadSwitchNs: cost.describe(
      'From the end of one dispatched thread’s turn to the next one’s beginning.',
    ),
    contextSwitchNs: cost.describe('From a thread’s notification of another to that one running.'),
    threadMessageNs: cost.describe('A message to another thread’s event loop.'),
    timerLatenessNs: cost.describe('How late a sleep of 1 ms ends.'),
    senderMessageNs: cost.describe('CPU time of the sender for a message of the hand-over.'),
    sendNsPerMebibyte: cost.describe('CPU time of the sender for a MiB of pages.'),
    copyNsPerMebibyte: cost.describe('Copying a MiB of pages into frames.'),
    digestNsPerMebibyte: cost.describe('The digest of a MiB that is sent.'),
    hashNsPerMebibyte: cost.describe('SHA-256 of a MiB, alone.'),
    checksumNs: cost.describe('The checksum of a frame’s header.'),
    journalEntryNs: cost.describe('An entry of a journal that is on disk when it returns.'),
  }),
  threads: object('Hand-over in world threads', undefined, 'a hand-over: { pauseNs, … }', handover),
  vm: object('Hand-over in world vm', undefined, 'a hand-over: { dirtyScanNsPerMebibyte, … }', {
    dirtyScanNsPerMebibyte: cost.describe('Finding what is dirty in a MiB of memory.'),
    ...handover,
    idleShare: cost.describe('The share of a processor that a virtual machine uses with nothing to do.'),
  }).optional(),
  qemu: object('QEMU’s own migration', undefined, 'a stop: { stopToResumeNs }', {
    stopToResumeNs: cost.describe('From STOP to RESUME with next to nothing dirty.'),
  }).optional(),
});

export type MachineProfile = z.infer<typeof machineProfileSchema>;

/**
 * A profile, for what it says of one world.
 * @throws Failure it cannot be read @throws UsageError what is wrong with it; it says nothing of that world
 */
export function predictedMachine(file: string, world: PredictedMachine['world']): PredictedMachine {
  const text = readText(file);
  const { name, costs, ...handovers } = checked(machineProfileSchema, parseYaml(text, file), file);
  const handover = handovers[world];
  if (!handover) throw usageError(`${file}: ${world}`, `the costs of world ${world}`, handover);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { name, file, sha256, world, costs: { ...costs, ...handover } };
}
