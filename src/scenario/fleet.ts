import { z } from 'zod';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import type { Insist } from './checked.ts';
import type { LinkDocument } from './migration-schema.ts';
import { object } from './object-schema.ts';
import { duration, freeName, whole } from './quantity.ts';

/** What a scenario says of a link that several migrations share: who asks for how much of it, when, and how urgently. */
/** A member may set what is its own, not what all of a fleet share. */
const ofAll = ['fleet', 'runs', 'seed', 'describe', 'link.name', 'link.capacity', 'link.changes'];
const touches = (path: string) =>
  ofAll.some((all) => `${all}.`.startsWith(`${path}.`) || path.startsWith(`${all}.`));
const ownSettings = z
  .record(z.string(), z.unknown(), 'settings: { path: value, … }')
  .refine(
    (set) => !Object.keys(set).some(touches),
    `settings of this member alone, none of ${ofAll.join(', ')}`,
  );

const member = object(
  'Members of a fleet',
  'Guests of one kind.',
  'members of a fleet: { name, count, at, every, priority, deadline, set }',
  {
    name: freeName(150).default('guest').describe('Its name; where several share one, they are numbered.'),
    count: whole(1, 100).default(1).describe('How many guests of this kind.'),
    at: duration.prefault(0).describe('When the first of them sets out, a time.'),
    every: duration.prefault(0).describe('How long after each other they set out, a time.'),
    priority: whole(0, 1_000).default(0).describe('The larger goes first where not all fit on the link.'),
    deadline: z
      .union([z.literal('none').transform(() => null), duration], 'none or a time')
      .prefault('none')
      .describe('How long it waits for the link before it gives up, a time.'),
    set: ownSettings.default({}).describe('What differs for this member: paths with their values.'),
  },
);

export const fleetSchema = z
  .array(member, 'a list of members')
  .min(1, 'at least one member')
  .optional()
  .describe('Guests that share the link, which must have a capacity. Without it there is one guest.');

/** One migration's part in a link that has a capacity. */
export interface LinkShare {
  readonly link: string;
  readonly capacityBytesPerSecond: BytesPerSecond;
  readonly changes: readonly { readonly atNs: Nanos; readonly capacityBytesPerSecond: BytesPerSecond }[];
  /** Its name among all that share the link. */
  readonly name: string;
  /** When it sets out, after the first of the fleet could. */
  readonly atNs: Nanos;
  readonly priority: number;
  /** How long it would wait for its reservation; null: as long as it takes. */
  readonly queueTimeoutNs: Nanos | null;
  /** If some of the reservation is revoked, the least with which it goes on. */
  readonly leastBytesPerSecond: BytesPerSecond;
}

export type Place = Pick<LinkShare, 'name' | 'atNs' | 'priority' | 'queueTimeoutNs'>;

/** The places of all members, and what each sets differently. Where several have a name, they are numbered. */
export function placesOf(
  fleet: NonNullable<z.infer<typeof fleetSchema>>,
): readonly { readonly place: Place; readonly set: Readonly<Record<string, unknown>> }[] {
  const named = new Map<string, number>();
  for (const { name, count } of fleet) named.set(name, (named.get(name) ?? 0) + count);
  const given = new Map<string, number>();
  return fleet.flatMap(({ name, count, at, every, priority, deadline, set }) =>
    Array.from({ length: count }, (_, index) => {
      const number = (given.get(name) ?? 0) + 1;
      given.set(name, number);
      const called = named.get(name) === 1 ? name : `${name}-${number}`;
      return { place: { name: called, atNs: at + index * every, priority, queueTimeoutNs: deadline }, set };
    }),
  );
}

/** The part of a scenario that is about the link, as the schema leaves it. */
interface ShareDocument {
  readonly guest: { readonly name: string };
  readonly link: Pick<LinkDocument, 'name' | 'rate' | 'capacity' | 'least' | 'changes'>;
  readonly fleet?: unknown;
}

/** null: the link has no capacity, so there is nothing to share. Calls `insist` for what must hold. */
export function resolveShare(
  { guest, link, fleet }: ShareDocument,
  stopRateBytesPerSecond: BytesPerSecond | null,
  place: Place | undefined,
  insist: Insist,
): LinkShare | null {
  const { capacity, rate, least, changes } = link;
  if (capacity === undefined) {
    insist(fleet === undefined, 'link.capacity', 'a rate, where a fleet shares the link', capacity);
    insist(changes.length === 0, 'link.capacity', 'a rate, where it changes', capacity);
    insist(least === undefined, 'link.capacity', 'a rate, where link.least is given', capacity);
    return null;
  }
  const isElastic = rate === 'elastic';
  insist(!isElastic || least === undefined, 'link.least', 'nothing, where link.rate is elastic', least);
  const unlimited = Number.POSITIVE_INFINITY;
  const demandBytesPerSecond = isElastic
    ? 0
    : Math.max(rate ?? unlimited, stopRateBytesPerSecond ?? unlimited);
  insist(rate !== null, 'link.rate', 'at most link.capacity', 'unlimited');
  insist(stopRateBytesPerSecond !== null, 'link.stopRate', 'at most link.capacity', 'unlimited');
  const mayBe = 'at most the larger of link.rate and link.stopRate';
  insist(isElastic || (least ?? 0) <= demandBytesPerSecond, 'link.least', mayBe, least);
  return {
    link: link.name,
    capacityBytesPerSecond: capacity,
    changes,
    leastBytesPerSecond: least ?? demandBytesPerSecond,
    ...(place ?? { name: guest.name, atNs: 0, priority: 0, queueTimeoutNs: null }),
  };
}
