import {
  guestDefinition,
  guestDefinitionSchema,
  type RequestedMigrationDocument,
  requestedMigrationSchema,
} from '../../../src/scenario/migration-request.ts';
import type { PlanSubject } from '../../../src/study/plan/plan-subject.ts';
import type { Document } from './planned-documents.ts';

const program = { kind: 'classes', classes: [{ pages: 60, writesPerSecond: 15 }] };

export function definedGuest(said: Document) {
  return guestDefinition(guestDefinitionSchema.parse({ pages: 400, program, ...said }), 'guest');
}

/** What is asked of a host, with the rates that its link has left. */
export function requested(said: Document): RequestedMigrationDocument {
  const link = { rate: '100Mbit/s', stopRate: '100Mbit/s' };
  return requestedMigrationSchema.parse({ link, migration: {}, sender: {}, cpu: {}, ...said });
}

export function guestSubject(said: Document, asked: Document = {}): PlanSubject {
  return { kind: 'guest', definition: definedGuest(said), request: requested(asked) };
}
