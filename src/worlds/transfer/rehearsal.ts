import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { WIRE_VERSION } from '../../core/wire/frames.ts';
import { freeTurn } from '../cpu/turn.ts';
import { Connection } from './connection.ts';
import { encodeHello } from './hello.ts';
import { receivingServer } from './receiving-server.ts';
import { Sender } from './sender.ts';

const HOST = '127.0.0.1';
const PAGE_BYTES = 4096;
const PAGES = 512;
const ROUNDS = 4;
/** A rate that no host reaches, so that the pacer has something to reckon with and nothing to wait for. */
const RATE = 50e9;
const DEPTH_BYTES = 8 * 1024 * 1024;

/**
 * Sends 8 MiB of nobody's memory from this process to itself, over a connection like any other, once. JavaScript is compiled
 * where it has run often, and before that a page takes three to five times as long: a receiver could not take 1 Gbit/s in its
 * first second. Without a loopback device nothing comes of it, and a receiver is slow at first.
 *
 * Not for threads that end soon: Node 20 aborts where one ends while its code is being compiled (`NodePlatform::ForIsolate`).
 */
export function rehearse(): Promise<void> {
  rehearsed ??= perform();
  return rehearsed;
}

let rehearsed: Promise<void> | undefined;

async function perform(): Promise<void> {
  const server = receivingServer(1, answer);
  try {
    server.listen(0, HOST);
    await once(server, 'listening');
    await send((server.address() as AddressInfo).port);
  } catch {
    // It was only a rehearsal.
  } finally {
    server.close();
  }
}

async function send(port: number): Promise<void> {
  const source = {
    memory: new Uint8Array(PAGES * PAGE_BYTES).fill(1),
    pages: PAGES,
    pageSizeBytes: PAGE_BYTES,
    clear: () => {},
  };
  const sender = new Sender(source, DEPTH_BYTES, { turn: freeTurn, cpuPerPageNs: 0, cpuPerHandoverNs: 0 });
  await sender.greet({ host: HOST, port, key: null }, { migration: randomUUID(), ...nobody });
  const pages = Uint32Array.from({ length: PAGES }, (_, page) => page);
  for (let round = 0; round < ROUNDS; round++) {
    await sender.sendPages({ pages, rate: RATE, clears: true, endsRound: true });
  }
  sender.abort('a rehearsal');
}

const nobody = {
  guest: {
    name: 'nobody',
    pages: PAGES,
    zeroPages: 0,
    pageSizeBytes: PAGE_BYTES,
    program: { kind: 'classes', classes: [] },
    heartbeatPeriodNs: 1e9,
    cpuPerWriteNs: 0,
    seed: 1,
  },
  heartbeats: null,
  reservation: null,
} as const;

/** Takes in whatever comes, and keeps none of it. */
function answer(socket: Socket): void {
  const memory = Buffer.alloc(PAGES * PAGE_BYTES);
  const connection = new Connection(
    socket,
    'destination',
    false,
    ({ type, argument }, payload) => {
      if (type === 'page') payload.copy(memory, argument * PAGE_BYTES);
      else if (type === 'round') connection.send('round', argument);
      else if (type === 'hello') connection.send('hello', 0, encodeHello({ version: WIRE_VERSION }));
      else connection.finish();
    },
    () => {},
  );
  connection.pageSizeBytes = PAGE_BYTES;
}
