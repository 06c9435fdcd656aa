import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Antagonist } from '../../../src/core/antagonist.ts';
import { Antagonists } from '../../../src/workload/antagonists/antagonists.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';

let server: Server;
let antagonists: Antagonists;
let accepted: Promise<Socket>;
beforeEach(async () => {
  antagonists = new Antagonists();
  server = createServer().listen(0, '127.0.0.1');
  accepted = once(server, 'connection').then(([socket]) => socket as Socket);
  await once(server, 'listening');
});
afterEach(async () => {
  await antagonists.end();
  server.close();
});

const setup = (...list: Antagonist[]) =>
  ({ guest: { seed: 1 }, antagonists: list }) as unknown as MigrationSpec;

async function through(...list: Antagonist[]): Promise<{ source: Socket; destination: Socket }> {
  const there = { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  const { host, port } = await antagonists.inTheWay(setup(...list), there);
  expect(port).not.toBe(there.port);
  const source = connect(port, host);
  await once(source, 'connect');
  return { source, destination: await accepted };
}

describe('what stands in the way to the destination', () => {
  test('is nothing where no antagonist is on the link', async () => {
    const there = { host: '127.0.0.1', port: 9 };
    expect(await antagonists.inTheWay(setup({ kind: 'timer-noise', meanNs: 1 }), there)).toBe(there);
  });

  test('passes every byte, and no faster than it may', async () => {
    const { source, destination } = await through({ kind: 'slow-destination', bytesPerSecond: 2_000_000 });
    const sent = Buffer.alloc(1_000_000, 'abcdefg');
    const startedAt = performance.now();
    source.write(sent);
    const received: Buffer[] = [];
    for await (const chunk of destination as AsyncIterable<Buffer>) {
      received.push(chunk);
      if (received.reduce((sum, { length }) => sum + length, 0) === sent.length) break;
    }
    // Half a second by the rate; a busy machine makes it longer, nothing makes it shorter.
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    source.destroy();
  });

  test('answers pass back at once, and who hangs up is heard at the other end', async () => {
    const { source, destination } = await through({ kind: 'slow-destination', bytesPerSecond: 1_000 });
    destination.write('answer');
    const [answer] = await once(source, 'data');
    expect(String(answer)).toBe('answer');
    destination.destroy();
    await once(source, 'close');
  });
});
