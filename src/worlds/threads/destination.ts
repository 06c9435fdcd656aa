import { lookup } from 'node:dns/promises';
import { BlockList, createServer, type Server, type Socket } from 'node:net';
import { totalmem } from 'node:os';
import { Cpu } from '../cpu/cpu.ts';
import { Failure, printable, Refusal, reasonOf } from '../failure.ts';
import { pagesNeeded, usedPages } from '../guests/programs.ts';
import { Door } from '../transfer/door.ts';
import { encodeFrame } from '../transfer/frame-writer.ts';
import type { Hello } from '../transfer/hello.ts';
import { defaultLimits, type Limits } from '../transfer/limits.ts';
import { type HostedGuest, receive } from '../transfer/receiver.ts';
import { GuestThread } from './guest-thread.ts';
import { NameClaims } from './name-claims.ts';

export interface DestinationOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Accept only guests of this many pages, of this size; a machine of fixed memory. */
  readonly pages?: number | undefined;
  readonly pageSizeBytes?: number | undefined;
  /** The folder where journals of migrations are kept; without it, none are. */
  readonly journals?: string | undefined;
  /** What every source must prove to have; without one only this host may connect. */
  readonly key?: Uint8Array | undefined;
  readonly limits?: Partial<Limits>;
  /** Called with a line for everything that happens. */
  readonly log: (line: string) => void;
}

/** What a guest here consists of, until it is ended. */
interface Hosted {
  end(): Promise<unknown>;
}

/** So many may be told at once that there is no room; beyond that the kernel hangs up without a word. */
const MOST_TURNED_AWAY = 16;
const TURNED_AWAY_MS = 1_000;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** A destination that takes in one migration after another. */
export class Destination {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #guests: Set<Hosted>;

  private constructor(
    server: Server,
    address: { host: string; port: number },
    sockets: Set<Socket>,
    guests: Set<Hosted>,
  ) {
    this.#server = server;
    this.address = address;
    this.#sockets = sockets;
    this.#guests = guests;
  }

  /**
   * @throws Failure the address cannot be listened on
   * @throws Refusal others could connect to it, and there is no key that they would have to have
   */
  static async listen(options: DestinationOptions): Promise<Destination> {
    const { key = null, port } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const host = await addressOf(options, key !== null);
    const sockets = new Set<Socket>();
    const guests = new Set<Hosted>();
    const names = new NameClaims();
    const door = new Door(limits);
    const server = createServer((socket) => {
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      const visit = door.enters();
      if (typeof visit === 'string') {
        turnAway(socket, visit);
        options.log(`${from}: turned away: ${visit}`);
        return;
      }
      const { known } = visit;
      const prepared = (hello: Hello) => prepare(hello, options, guests, names);
      const { journals } = options;
      void receive(socket, { prepare: prepared, key, limits, known, journals }).then((how) => {
        visit.leaves();
        options.log(`${from}: ${printable(how)}`);
      });
    });
    server.maxConnections = limits.connections + MOST_TURNED_AWAY;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(options, error)));
      server.listen(port, host, resolve);
    });
    const bound = server.address() as { address: string; port: number };
    return new Destination(server, { host: bound.address, port: bound.port }, sockets, guests);
  }

  /** Hangs up, ends every guest and stops listening. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#guests].map((guest) => guest.end()));
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** @throws Failure no such host. @throws Refusal without a key strangers could connect. */
async function addressOf({ host, port }: DestinationOptions, keyed: boolean): Promise<string> {
  const found = await lookup(host).catch((cause) => {
    throw cannotListen({ host, port }, cause);
  });
  if (!keyed && !loopback.check(found.address, found.family === 6 ? 'ipv6' : 'ipv4')) {
    throw new Refusal(
      `whoever reaches ${host} could connect: give a key with --key-file, or listen on 127.0.0.1`,
    );
  }
  return found.address;
}

function cannotListen({ host, port }: { host: string; port: number }, cause: unknown): Failure {
  return new Failure(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`);
}

/** Says why and hangs up, without waiting for what the other end has to say. */
function turnAway(socket: Socket, why: string): void {
  socket.on('error', () => {});
  socket.resume().end(encodeFrame('abort', 0, Buffer.from(why)));
  const linger = setTimeout(() => socket.destroy(), TURNED_AWAY_MS);
  socket.once('close', () => clearTimeout(linger));
}

/** A guest's thread, standing over empty memory. @throws Failure this destination does not take such a guest. */
async function prepare(
  { guest, heartbeats, reservation }: Hello,
  options: DestinationOptions,
  guests: Set<Hosted>,
  names: NameClaims,
): Promise<HostedGuest> {
  const { pages = guest.pages, pageSizeBytes = guest.pageSizeBytes } = options;
  if (guest.pages !== pages || guest.pageSizeBytes !== pageSizeBytes) {
    throw new Failure(
      `a guest of ${guest.pages} pages of ${guest.pageSizeBytes} bytes; expected ${pages} pages of ${pageSizeBytes} bytes`,
    );
  }
  if (pagesNeeded(guest.program) > usedPages(guest)) {
    throw new Failure(`a program of ${pagesNeeded(guest.program)} pages in a guest of ${usedPages(guest)}`);
  }
  if (guest.pages * guest.pageSizeBytes > totalmem() / 2) {
    throw new Failure(
      `a guest of ${guest.pages} pages of ${guest.pageSizeBytes} bytes: more than half of this host`,
    );
  }
  const leave = await names.claim(guest.name);
  const parts: Hosted[] = [];
  const ended = {
    async end() {
      await Promise.all(parts.map((part) => part.end()));
      leave();
    },
  };
  try {
    const cpu = await Cpu.start({
      scheduler: reservation?.scheduler ?? 'none',
      entities: [{ name: 'guest', reservation, processor: 0 }],
      hogs: [],
      reclaim: false,
    });
    parts.push(cpu);
    const thread = await GuestThread.empty(guest, heartbeats, cpu.turnOf('guest'));
    parts.push(thread);
    await cpu.admitted();
    guests.add(ended);
    return hosted(thread, async () => {
      guests.delete(ended);
      await ended.end();
    });
  } catch (cause) {
    await ended.end();
    throw cause;
  }
}

function hosted(thread: GuestThread, discard: () => Promise<void>): HostedGuest {
  return {
    memory: new Uint8Array(thread.memory),
    hash: () => thread.hash(),
    run: async (guestTimeNs) => {
      await thread.run(guestTimeNs);
    },
    async retire() {
      const { steps, heartbeats: sent } = await thread.stand();
      return { steps, heartbeats: sent, sha256: await thread.hash() };
    },
    discard,
  };
}
