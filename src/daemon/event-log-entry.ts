import { z } from 'zod';
import { type MigrationRecord, migrationRecord, type RunMetadata } from '../core/migration/record.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { cutShort } from './cut-short.ts';
import { type EstimateView, estimateView } from './migration-schemas.ts';
import { recordSchema, reservationSchema } from './record-schema.ts';
import { type PlannedTarget, plannedTarget } from './target-schemas.ts';

/** One thing that happened to a daemon's guests and migrations. */
export type EventLogEntry =
  | { readonly kind: 'guest'; readonly event: 'booted' | 'arrived'; readonly guest: GuestDefinition }
  | { readonly kind: 'guest'; readonly event: 'left' | 'removed' | 'died'; readonly name: string }
  | {
      readonly kind: 'begun';
      readonly id: string;
      readonly metadata: RunMetadata;
      readonly to: string;
      /** For what it was planned. Not there up to version 0.2, and null: it was asked for with reservations of its own. */
      readonly target?: PlannedTarget | null;
    }
  | {
      readonly kind: 'ended';
      readonly id: string;
      readonly record: MigrationRecord;
      /** The same. */
      readonly target?: PlannedTarget | null;
    }
  /** What the same would have been without its CPU reservations, computed after it had ended. */
  | { readonly kind: 'compared'; readonly id: string; readonly unguaranteed: EstimateView };

const name = z.string().min(1);

/** As much as is asked of a guest that has died. */
const guest = z.object({
  guest: z.object({
    name,
    pages: z.int().min(0),
    pageSizeBytes: z.int().min(0),
    program: z.object({ kind: z.string() }),
  }),
  reservation: reservationSchema.nullable(),
});

const metadata = z.custom<RunMetadata>((value) => {
  if (!z.object({ plan: z.object() }).safeParse(value).success) return false;
  const record = migrationRecord(value as RunMetadata, cutShort('', 'source'));
  return recordSchema.safeParse(record).success;
});

const target = plannedTarget.nullish();

const schema = z.union([
  z.object({ kind: z.literal('guest'), event: z.enum(['booted', 'arrived']), guest }),
  z.object({ kind: z.literal('guest'), event: z.enum(['left', 'removed', 'died']), name }),
  z.object({ kind: z.literal('begun'), id: name, metadata, to: z.string(), target }),
  z.object({ kind: z.literal('ended'), id: name, record: recordSchema, target }),
  z.object({ kind: z.literal('compared'), id: name, unguaranteed: estimateView }),
]);

/** The entry of a line, with everything that it says. Undefined: it is none. */
export function eventLogEntryOf(line: string): EventLogEntry | undefined {
  try {
    const entry = JSON.parse(line);
    return schema.safeParse(entry).success ? entry : undefined;
  } catch {
    return undefined;
  }
}
