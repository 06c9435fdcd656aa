import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { drive } from '../../src/run/drive.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { Journal } from '../../src/transport/journal.ts';
import { recover } from '../../src/transport/recover.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../src/worlds/threads/threads-world.ts';
import { entriesIn, leaveJournal, unprovable } from '../fixtures/journals.ts';
import { smallSetup } from '../fixtures/setup.ts';

const { guest, plan } = smallSetup();
let folder: string;
let here: string;
let there: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-journal-'));
  here = join(folder, 'source');
  there = join(folder, 'destination');
});
afterEach(() => rmSync(folder, { recursive: true }));

const begun = (guest: string) => ({
  migration: randomUUID(),
  guest,
  pages: 800,
  pageSizeBytes: 4096,
  peer: '192.0.2.1:4000',
});

describe('a migration with journals', () => {
  let destination: Host;
  let logged: Promise<string>;
  beforeEach(async () => {
    let log: (line: string) => void = () => {};
    logged = new Promise((resolve) => {
      log = resolve;
    });
    destination = await Host.listen({ host: '127.0.0.1', port: 0, journals: there, log });
  });
  afterEach(() => destination.close());

  const towards = (change: Partial<typeof plan> = {}) =>
    threadsWorld(
      { guest, plan: { ...plan, ...change }, cpu: freeCpu },
      { to: { ...destination.address, key: null }, viewerHost: '127.0.0.1', journals: here },
    );

  test('leaves every entry at both ends, under one name', async () => {
    const world = await towards();
    expect(await drive(plan, world)).toMatchObject({ outcome: 'completed' });
    await world.close();
    const [migration] = Object.keys(entriesIn(here));
    expect(entriesIn(here)).toEqual({
      [migration!]: ['begun', 'stopped', 'ready', 'commit', 'running', 'ended'],
    });
    expect(entriesIn(there)).toEqual({ [migration!]: ['begun', 'ready', 'commit', 'running', 'ended'] });
  });

  test('that does not converge is closed at both ends as aborted', async () => {
    const impatient: typeof plan = { ...plan, stop: { rule: 'rounds', rounds: 1000 }, timeoutNs: 1 };
    const world = await towards(impatient);
    expect(await drive(impatient, world)).toMatchObject({ outcome: 'not-converged', owner: 'source' });
    await world.close();
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'aborted']]);
    await logged;
    expect(Object.values(entriesIn(there))).toEqual([['begun', 'aborted']]);
  });

  test('refuses a second one of the same guest, and leaves no journal of it', async () => {
    const world = await towards();
    await expect(towards()).rejects.toThrow(
      new RegExp(
        `^guest 'small' is being migrated already, by process ${process.pid} .*: wait for it, or end`,
      ),
    );
    expect(Object.keys(entriesIn(here))).toHaveLength(1);
    expect(await drive(plan, world)).toMatchObject({ outcome: 'completed' });
    await world.close();
    await (await towards()).close();
  });

  test('a destination refuses a guest of a name that it has, and takes it once that has left', async () => {
    const socket = connect(destination.address.port, '127.0.0.1');
    socket.on('error', () => {});
    const hello = {
      version: WIRE_VERSION,
      migration: randomUUID(),
      guest,
      heartbeats: null,
      reservation: null,
    };
    socket.write(encodeFrame('hello', 0, Buffer.from(JSON.stringify(hello))));
    await once(socket, 'data');
    await expect(towards()).rejects.toThrow(
      "the destination refused: a guest 'small' is already here or arriving",
    );
    socket.destroy();
    await (await towards()).close();
  });

  test('a destination whose journal cannot be written refuses, and the source says why', async () => {
    await destination.close();
    rmSync(there, { recursive: true });
    writeFileSync(there, '');
    destination = await Host.listen({
      host: '127.0.0.1',
      port: 0,
      journals: there,
      log: () => {},
    });
    await expect(towards()).rejects.toThrow('the destination refused: cannot make folder');
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'aborted']]);
  });
});

describe('a connection that breaks around the commit', () => {
  let destination: Host;
  let proxy: Server;
  beforeEach(async () => {
    destination = await Host.listen({
      host: '127.0.0.1',
      port: 0,
      journals: there,
      log: () => {},
    });
  });
  afterEach(async () => {
    proxy.close();
    await destination.close();
  });

  test.each([
    ['its commit', ['begun', 'ready', 'aborted'], 'source'],
    ['the answer', ['begun', 'ready', 'commit', 'running', 'ended'], 'destination'],
  ] as const)('for good, and loses %s: the guest stays stopped at the source, and both journals tell whose it is', async (lost, entries, owner) => {
    const world = await over(await breakingAt(lost, 'for good'));
    expect(await drive(unverified, world)).toMatchObject({ outcome: 'failed', owner: 'nobody' });
    await expect.poll(() => Object.values(entriesIn(there))).toEqual([entries]);
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'stopped', 'ready', 'commit']]);
    expect((await recover([here, there])).settlements).toMatchObject([
      { owner, state: 'under way', done: [] },
    ]);
    await expect(Journal.atSource(here, begun(guest.name))).rejects.toThrow('is being migrated already');
    await world.close();
  });

  test('and loses its commit: the source asks, is given the guest back and runs it', async () => {
    const world = await over(await breakingAt('its commit', 'once'));
    const course = await drive(unverified, world);
    expect(course).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(course.reason).toMatch(
      /^the destination closed the connection, after the commit; when asked, the destination returned the guest: /,
    );
    expect(Object.values(entriesIn(there))).toEqual([['begun', 'ready', 'aborted']]);
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'stopped', 'ready', 'commit', 'aborted']]);
    await world.close();
    expect((await recover([here, there])).settlements).toEqual([]);
  });

  test('and loses the answer: the source asks, and goes on with the guest that runs at the destination', async () => {
    const world = await over(await breakingAt('the answer', 'once'));
    expect(await drive(unverified, world)).toMatchObject({
      outcome: 'completed',
      owner: 'destination',
      verified: { continued: 'identical' },
    });
    await world.close();
    expect(Object.values(entriesIn(there))).toEqual([['begun', 'ready', 'commit', 'running', 'ended']]);
    const whole = ['begun', 'stopped', 'ready', 'commit', 'running', 'ended'];
    expect(Object.values(entriesIn(here))).toEqual([whole]);
    expect((await recover([here, there])).settlements).toEqual([]);
  });

  const unverified = { ...plan, verify: 'checksums' as const };
  const over = (port: number) =>
    threadsWorld(
      { guest, plan: unverified, cpu: freeCpu },
      {
        to: { host: '127.0.0.1', port, key: null, silenceMs: 3_000 },
        viewerHost: '127.0.0.1',
        journals: here,
      },
    );

  const READY = 6;
  /** Passes everything on up to the frame that is to be lost, and hangs up in its place. */
  async function breakingAt(lost: 'its commit' | 'the answer', how: 'once' | 'for good'): Promise<number> {
    let isBroken = false;
    proxy = createServer((source) => {
      if (isBroken && how === 'for good') return void source.destroy();
      const onward = connect(destination.address.port, '127.0.0.1');
      const hangUp = () => {
        isBroken = true;
        source.destroy();
        onward.destroy();
      };
      let ready = false;
      source.on('data', (chunk: Buffer) => (ready && lost === 'its commit' ? hangUp() : onward.write(chunk)));
      onward.on('data', (chunk: Buffer) => {
        if (ready) return hangUp();
        ready = chunk.length >= 16 && chunk.readUInt32LE(4) === READY;
        source.write(chunk);
      });
      for (const socket of [source, onward]) socket.on('error', hangUp).on('close', hangUp);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return (proxy.address() as { port: number }).port;
  }
});

describe('a source’s journal', () => {
  test('stands in the way of the same guest while its process lives, and of no other', async () => {
    const first = await Journal.atSource(here, begun('web'));
    await expect(Journal.atSource(here, begun('web'))).rejects.toThrow('is being migrated already');
    (await Journal.atSource(here, begun('mail'))).close();
    first.write('aborted');
    (await Journal.atSource(here, begun('web'))).close();
  });

  test('of a process that died before its commit does not: the guest is the source’s', async () => {
    leaveJournal(here, 'source', ['stopped', 'ready']);
    (await Journal.atSource(here, begun('web'))).close();
  });

  test('of a process that died after its commit does, until it is settled', async () => {
    const file = leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    await expect(Journal.atSource(here, begun('web'))).rejects.toThrow(
      `guest 'web' may be at its destination: an earlier migration ended after its commit (${file}); settle it with`,
    );
    appendFileSync(file, '{"entry":"aborted","at":""}\n');
    (await Journal.atSource(here, begun('web'))).close();
  });

  test('of a process that cannot be asked does, and the reason has the command that ends that', async () => {
    leaveJournal(here, 'source', [], { process: unprovable });
    await expect(Journal.atSource(here, begun('web'))).rejects.toThrow(
      `cannot be asked from here; if it has ended for certain, run 'switchover recover ${here} --declare-dead ${unprovable.name}'`,
    );
  });

  test('that is damaged does, also if not one line can be read; other guests go on', async () => {
    const file = leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    for (const content of [
      '',
      'what is this\n',
      `${readFileSync(file, 'utf8')}{"entry":"ready","at":""}\n`,
    ]) {
      writeFileSync(file, content);
      await expect(Journal.atSource(here, begun('web'))).rejects.toThrow(
        `guest 'web' may be at its destination: the journal of an earlier migration is damaged (${file}: `,
      );
      (await Journal.atSource(here, begun('mail'))).write('aborted');
    }
  });

  test('that somebody else has written to takes nothing more: its process was declared dead', async () => {
    const journal = await Journal.atSource(here, begun('web'));
    const [file] = readdirSync(here).filter((name) => name.endsWith('.ndjson'));
    appendFileSync(join(here, file!), '{"entry":"aborted","at":""}\n');
    expect(() => journal.write('stopped')).toThrow('was this process declared dead?');
    journal.close();
  });

  test('that cannot be written is a failure before anything begins', async () => {
    writeFileSync(here, '');
    await expect(Journal.atSource(here, begun('web'))).rejects.toThrow(
      /^cannot make folder .*(EEXIST|ENOTDIR)/,
    );
  });
});
