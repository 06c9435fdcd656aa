import { z } from 'zod';
import { freeCpu } from '../core/cpu/cpu-plan.ts';
import { type Bytes, type BytesPerSecond, formatSize } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { cpuHogSchema } from './background.ts';
import { insisting } from './checked.ts';
import { checkCpu, cpuSchema, resolveCpu, schedulerSchema } from './cpu.ts';
import { resolveShare } from './fleet.ts';
import { guestShape, sizeKeys } from './guest-schema.ts';
import { linkSchema, policySchema, senderSchema } from './migration-schema.ts';
import { definition, oneOfTwo } from './object-schema.ts';
import { resolveGuest, resolvePlan } from './parts.ts';
import { bootableProgramSchema } from './program.ts';
import { whole } from './quantity.ts';

/** What a host is asked for in the words of a scenario, which says more than a host can do: that is refused. */

/** Of guests, links, peers and experiments: short enough for a label of a metric, and safe in a path. */
export const nameSchema = z
  .string('a name')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'a name of at most 63 letters, digits, dots, dashes and underscores',
  );

/** A scenario's guest, and who keeps its reservation. */
export const guestDefinitionSchema = oneOfTwo(
  z.strictObject({
    ...guestShape,
    name: nameSchema.default('guest').describe('What it is called.'),
    program: bootableProgramSchema.describe('Which pages it writes, and how often.'),
    scheduler: schedulerSchema
      .optional()
      .describe('Who keeps its reservation: cbs-soft, cbs-hard or deadline. Without it: cbs-hard.'),
    seed: whole(0, Number.MAX_SAFE_INTEGER)
      .default(1)
      .describe('From it comes all that is random in its program.'),
  }),
  sizeKeys,
).meta({
  title: 'Guest definition',
  description: 'A guest that is to live here.',
});

export type GuestDefinitionDocument = z.infer<typeof guestDefinitionSchema>;

/**
 * @param where its problems are
 * @throws UsageError all that is wrong with it
 */
export function guestDefinition(document: GuestDefinitionDocument, where: string): GuestDefinition {
  const { scheduler = 'cbs-hard', seed, reservation = null } = document;
  const placed = (path: string) => path.replace(/^(guest|cpu)\./, `${where}.`);
  return insisting((insist) => {
    const guest = { ...resolveGuest(document, undefined, insist), seed };
    if (reservation) checkCpu({ ...freeCpu, scheduler, guest: reservation }, insist);
    const { device } = guest;
    const stateBytes = device?.stateBytes ?? 0;
    insist(
      stateBytes === 0,
      'guest.device.state',
      'nothing: a guest here has no such devices',
      formatSize(stateBytes),
    );
    const asked = document.scheduler !== undefined && reservation === null;
    insist(!asked, 'guest.scheduler', 'nothing, without a reservation that it keeps', document.scheduler);
    return { guest, reservation: reservation && { ...reservation, scheduler } };
  }, placed);
}

/** A key of a scenario that means nothing here. */
const notHere = (why: string) => z.never(`nothing: ${why}`).optional();
const ofTheLink = 'the daemon’s configuration says it, of the link that `over` names';

export const requestedLink = definition(
  'Requested link',
  'What is reserved of the link.',
  'a link: { rate, … }',
  {
    ...linkSchema.shape,
    name: notHere(ofTheLink),
    capacity: notHere(ofTheLink),
    changes: notHere(ofTheLink),
    overhead: notHere(`a page costs ${HEADER_BYTES} bytes more on a real link`),
  },
);

const hogs = z.discriminatedUnion(
  'kind',
  [cpuHogSchema],
  'a cpu-hog: the other antagonists work against experiments only',
);
const requestedBackground = z
  .array(hogs, 'a list of cpu-hogs')
  .max(10, 'at most 10')
  .prefault([])
  .describe('Programs that compete with the sender for its processor.');

/** The part of a scenario that can be asked for of a guest that is there already. */
export const requestedMigrationSchema = z.strictObject({
  link: requestedLink,
  migration: policySchema,
  sender: senderSchema,
  cpu: cpuSchema,
  background: requestedBackground,
});

export type RequestedMigrationDocument = z.infer<typeof requestedMigrationSchema>;

/** A link that others use too. */
export interface SharedLink {
  readonly name: string;
  readonly capacityBytesPerSecond: BytesPerSecond;
}

export type RequestedMigration = ReturnType<typeof requestedMigration>;

/**
 * How a guest that is already there migrates.
 * @param guest what migrates
 * @param reservation what it has of a processor, which goes with it and is not for this migration to say
 * @param over the link that others use too
 * @param overhead of a page on the link
 * @throws UsageError all that is wrong with it
 */
export function requestedMigration(
  document: RequestedMigrationDocument,
  guest: GuestSpec,
  reservation: GuestDefinition['reservation'],
  over?: SharedLink,
  overhead: Bytes = HEADER_BYTES,
) {
  const { link, migration } = document;
  return insisting((insist) => {
    const cpu = resolveCpu({ ...document, guest: {} });
    checkCpu(cpu, insist);
    // Whether a reservation fits is for the link's ledger to say.
    const capacity = link.rate === 'elastic' ? over?.capacityBytesPerSecond : undefined;
    const plan = resolvePlan({ link: { ...link, overhead, capacity }, migration }, guest, insist);
    const shared = over && { ...link, name: over.name, capacity: over.capacityBytesPerSecond, changes: [] };
    return {
      plan: { ...plan, seed: guest.seed },
      // It lives on a processor of its own; its sender is on another.
      cpu: { ...cpu, guest: reservation, guestScheduler: reservation?.scheduler ?? 'none' },
      /** Its part in the link that others use too; null: it goes over none. */
      share: shared
        ? resolveShare({ guest, link: shared }, plan.stopRateBytesPerSecond, undefined, insist)
        : null,
    };
  });
}
