import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Failure } from '../../src/platform/failure.ts';
import { inSegments } from '../../src/platform/segmented-memory.ts';
import { MigrationServer } from '../../src/transport/migration-server.ts';
import { Sender } from '../../src/transport/sender.ts';
import { smallHello } from '../fixtures/stranger.ts';

const thread = { checkpoint: () => {}, block: () => {}, unblock: () => {} };
let server: MigrationServer;
afterEach(() => server.close());

/** A source that waits for half a second comes to a destination that makes room for twice as long. */
async function greeted(aliveMs: number): Promise<void> {
  const where = { host: '127.0.0.1', port: 0, limits: { aliveMs }, log: () => {} };
  server = await MigrationServer.listen(where, async () => {
    await sleep(1_000);
    throw new Failure('there is no room after all');
  });
  const { pages, pageSizeBytes } = smallHello.guest;
  const source = { memory: inSegments(Buffer.alloc(pages * pageSizeBytes), pageSizeBytes), clear: () => {} };
  const sender = new Sender(source, 65_536, { thread, cpuPerPageNs: 0, cpuPerHandoverNs: 0 });
  await sender.greet({ ...server.address, key: null, silenceMs: 500 }, smallHello);
}

test('a destination that says it is at work on memory is waited for', async () => {
  await expect(greeted(20)).rejects.toThrow('there is no room after all');
});

test('one that says nothing is given up', async () => {
  await expect(greeted(10_000)).rejects.toThrow("no answer for 0.5 s in state 'greeting'");
});
