import { lookup } from 'node:dns/promises';
import { BlockList, type Server, type Socket } from 'node:net';
import { Failure, printable, Refusal, reasonOf } from '../platform/failure.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import { encodeFrame } from './frame-writer.ts';
import type { Hello } from './hello.ts';
import type { HostedGuest } from './hosted-guest.ts';
import { receive } from './incoming-migration.ts';
import { IncomingMigrations } from './incoming-migrations.ts';
import { JournalSign } from './journal-sign.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { receivingServer } from './receiving-server.ts';

export interface MigrationServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
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

/** Where a destination listens: takes in one migration after another, each over a connection of its own. */
export class MigrationServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** Machines that were received may be here although their journals are closed. */
  readonly #sign: JournalSign | undefined;

  private constructor(server: Server, sockets: Set<Socket>, sign: JournalSign | undefined) {
    const { address: host, port } = server.address() as { address: string; port: number };
    this.address = { host, port };
    this.#server = server;
    this.#sockets = sockets;
    this.#sign = sign;
  }

  /**
   * @param prepare makes room for a guest, which comes over this connection; throws if it is refused, and why
   * @throws Failure the address cannot be listened on
   * @throws Refusal others could connect to it, and there is no key that they would have to have
   */
  static async listen(
    options: MigrationServerOptions,
    prepare: (hello: Hello, socket: Socket) => Promise<HostedGuest>,
  ): Promise<MigrationServer> {
    const { key = null, port, journals, log } = options;
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
        log(`${from}: refused: ${slot}`);
        return;
      }
      const { authenticated, release } = slot;
      const settings = { key, limits, authenticated, journals, migrations };
      void receive(socket, { ...settings, prepare: (hello) => prepare(hello, socket) }).then((how) => {
        release();
        log(`${from}: ${printable(how)}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(options, error)));
      server.listen(port, host, resolve);
    });
    // Where no journal can be kept, each source is told.
    const sign = journals === undefined ? undefined : await JournalSign.hold(journals).catch(() => undefined);
    return new MigrationServer(server, sockets, sign);
  }

  /** Cuts all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Stops listening, once all connections have ended. */
  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    this.#sign?.letGo();
  }
}

/** @throws Failure no such host. @throws Refusal without a key anybody could connect. */
async function addressOf({ host, port }: MigrationServerOptions, keyed: boolean): Promise<string> {
  const found = await lookup(host).catch((cause) => {
    throw cannotListen({ host, port }, cause);
  });
  if (!keyed && !loopback.check(found.address, found.family === 6 ? 'ipv6' : 'ipv4')) {
    throw new Refusal(`listening on ${host} needs a key: give one with --key-file, or listen on 127.0.0.1`);
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
