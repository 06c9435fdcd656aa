import { lookup } from 'node:dns/promises';
import { BlockList, type Server, type Socket } from 'node:net';
import { Failure, printable, Refusal, reasonOf } from '../../platform/failure.ts';
import { ConnectionLimiter } from '../../transport/connection-limiter.ts';
import { encodeFrame } from '../../transport/frame-writer.ts';
import type { Hello } from '../../transport/hello.ts';
import { receive } from '../../transport/incoming-migration.ts';
import { IncomingMigrations } from '../../transport/incoming-migrations.ts';
import { defaultLimits, type Limits } from '../../transport/limits.ts';
import { receivingServer } from '../../transport/receiving-server.ts';
import { GuestInstances, type GuestReserve } from './guest-instances.ts';

export interface ThreadsDestinationOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Accept only guests of this many pages, of this size; a machine of fixed memory. */
  readonly pages?: number | undefined;
  readonly pageSizeBytes?: number | undefined;
  /** Told of every guest before it is given a place here; gives what takes that back. May throw why there is none. */
  readonly reserve?: GuestReserve;
  /** The folder where journals of migrations are kept; without it, none are. */
  readonly journals?: string | undefined;
  /** What every source must prove to have; without one only this host may connect. */
  readonly key?: Uint8Array | undefined;
  readonly limits?: Partial<Limits>;
  /** Called with a line for everything that happens. */
  readonly log: (line: string) => void;
}

/** So many may be told at once that there is no room. */
const MOST_TURNED_AWAY = 16;
const TURNED_AWAY_MS = 1_000;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** The receiving end of a host: takes in one migration after another. Who has arrived stays. */
export class ThreadsDestination {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #guests: GuestInstances;

  private constructor(
    server: Server,
    address: { host: string; port: number },
    sockets: Set<Socket>,
    guests: GuestInstances,
  ) {
    this.#server = server;
    this.address = address;
    this.#sockets = sockets;
    this.#guests = guests;
  }

  /**
   * @param guests who lives here already
   * @throws Failure the address cannot be listened on
   * @throws Refusal others could connect to it, and there is no key that they would have to have
   */
  static async listen(
    options: ThreadsDestinationOptions,
    guests = new GuestInstances(),
  ): Promise<ThreadsDestination> {
    const { key = null, port } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const host = await addressOf(options, key !== null);
    const sockets = new Set<Socket>();
    const limiter = new ConnectionLimiter(limits);
    const migrations = new IncomingMigrations();
    const server = receivingServer(limits.connections + MOST_TURNED_AWAY, sockets, (socket) => {
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      const slot = limiter.admit();
      if (typeof slot === 'string') {
        turnAway(socket, slot);
        options.log(`${from}: turned away: ${slot}`);
        return;
      }
      const { authenticated } = slot;
      const prepare = async (hello: Hello) => {
        checkSize(hello, options);
        return guests.expect(hello);
      };
      const { journals } = options;
      void receive(socket, { prepare, key, limits, authenticated, journals, migrations }).then((how) => {
        slot.release();
        options.log(`${from}: ${printable(how)}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(options, error)));
      server.listen(port, host, resolve);
    });
    const bound = server.address() as { address: string; port: number };
    return new ThreadsDestination(server, { host: bound.address, port: bound.port }, sockets, guests);
  }

  /** Hangs up, ends every guest and stops listening. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#guests.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** @throws Failure no such host. @throws Refusal without a key anybody could connect. */
async function addressOf({ host, port }: ThreadsDestinationOptions, keyed: boolean): Promise<string> {
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

/** @throws Failure this destination takes guests of another size only. */
function checkSize({ guest }: Hello, options: ThreadsDestinationOptions): void {
  const { pages = guest.pages, pageSizeBytes = guest.pageSizeBytes } = options;
  if (guest.pages === pages && guest.pageSizeBytes === pageSizeBytes) return;
  throw new Failure(
    `a guest of ${guest.pages} pages of ${guest.pageSizeBytes} bytes; expected ${pages} pages of ${pageSizeBytes} bytes`,
  );
}
