import { z } from 'zod';
import { backgroundSchema } from './background.ts';
import { cpuSchema } from './cpu.ts';
import { fleetSchema } from './fleet.ts';
import { guestSchema } from './guest-schema.ts';
import { linkSchema, policySchema, senderSchema } from './migration-schema.ts';
import { whole } from './quantity.ts';
import { targetSchema } from './target.ts';
import { qemuSchema, vmSchema } from './vm.ts';

/** Every message of these schemas completes the sentence "expected …". */
export const scenarioSchema = z
  .strictObject({
    describe: z.string('a sentence').default('').describe('What the scenario is about.'),
    guest: guestSchema,
    link: linkSchema,
    migration: policySchema,
    sender: senderSchema,
    cpu: cpuSchema,
    background: backgroundSchema,
    fleet: fleetSchema,
    vm: vmSchema,
    qemu: qemuSchema,
    target: targetSchema.describe(
      'What a plan for it must keep (`switchover plan`), such as `downtime<=200ms@0.99, total<=30s@0.95`: times, with what probability. Without it: `--target` says it.',
    ),
    runs: whole(1, 1_000_000).default(1).describe('Repetitions of every cell, each with the next seed.'),
    seed: whole(0, Number.MAX_SAFE_INTEGER)
      .default(1)
      .describe('The seed of the first repetition, from which everything random in it comes.'),
  })
  .meta({
    title: 'Scenario',
    description: 'A migration. Only guest.pages, guest.program and link.rate are required.',
  });

/** `compare` of a scenario. It is expanded before a cell of it is read. */
export const compareSchema = z
  .record(z.string(), z.array(z.unknown()).min(1), 'paths with lists of values')
  .optional()
  .describe(
    'Paths of the scenario with the values to compare: every combination is carried out. Paths with commas between them change together, by lists of values. Without it: one cell.',
  );

export type ScenarioDocument = z.infer<typeof scenarioSchema>;
