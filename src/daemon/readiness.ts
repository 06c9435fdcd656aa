import { libc } from '../platform/libc.ts';
import { setNice } from '../platform/thread-scheduling.ts';
import {
  guestDefinition,
  guestDefinitionSchema,
  requestedMigration,
  requestedMigrationSchema,
} from '../scenario/migration-request.ts';
import type { Computing } from './computing.ts';

const HOST_NICE = -10;

/**
 * Puts the calling thread, which takes the steps of migrations, before ordinary ones, where that is
 * permitted. It works little and in short pieces; reserved threads go before it all the same. Without koffi the threads
 * that it starts would inherit that, so then it is not done.
 */
export function goFirst(): void {
  if (libc()) setNice(HOST_NICE);
}

const guest = { pages: 2, program: { kind: 'zipf', writesPerSecond: 1 } };
const request = { link: { rate: '1Mbit/s' } };

/**
 * What is done for the first time takes many times as long, since schemas are compiled and code is optimised. So what
 * requests ask for is done once before there are any: here by the host, and by the thread that computes, which is not waited
 * for.
 */
export function warmUp(computing: Computing): void {
  const { guest: spec } = guestDefinition(
    guestDefinitionSchema.parse({ ...guest, name: 'warm-up' }),
    'guest',
  );
  const migration = requestedMigration(requestedMigrationSchema.parse(request), spec, null);
  computing.predict({ guest: spec, ...migration }).catch(() => {});
}
