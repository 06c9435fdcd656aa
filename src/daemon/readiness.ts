import { schedSetattr } from '../platform/libc.ts';
import { setNice } from '../platform/thread-scheduling.ts';
import { predictedOf } from '../run/predict.ts';
import {
  guestDefinition,
  guestDefinitionSchema,
  requestedMigration,
  requestedMigrationSchema,
} from '../scenario/migration-request.ts';
import { experimentOf, scenarioOf } from '../scenario/scenario.ts';
import type { Metrics } from './metrics.ts';

const ANSWERING_NICE = -10;

/**
 * Puts the calling thread, which answers requests and takes the steps of migrations, before ordinary ones, where that is
 * permitted. It works little and in short pieces; reserved threads go before it all the same. Without koffi the threads
 * that it starts would inherit that, so then it is not done.
 */
export function goFirst(): void {
  if (schedSetattr()) setNice(ANSWERING_NICE);
}

const guest = { pages: 2, program: { kind: 'zipf', writesPerSecond: 1 } };
const request = { link: { rate: '1Mbit/s' } };

/**
 * What is done for the first time takes many times as long, since schemas are compiled and code is optimised. So what
 * requests ask for is done once before there are any.
 */
export async function warmUpRequests(metrics: Metrics): Promise<void> {
  experimentOf(scenarioOf({ guest, ...request }, { name: 'warm-up' }));
  const { guest: spec } = guestDefinition(
    guestDefinitionSchema.parse({ ...guest, name: 'warm-up' }),
    'guest',
  );
  const migration = requestedMigrationSchema.parse(request);
  predictedOf({ guest: spec, ...requestedMigration(migration, spec, null) });
  await metrics.scrape();
  await metrics.scrapeNode();
}
