import { lookup } from 'node:dns/promises';
import type { Server, Socket } from 'node:net';
import { formatEncryption } from '../core/link/encryption.ts';
import { Failure, printable, Refusal, reasonOf } from '../platform/failure.ts';
import type { Arrival, ArrivalEnd, ConnectionEnd } from './arrival.ts';
import { encryptionOf } from './connection-encryption.ts';
import { headWithin } from './connection-head.ts';
import { ConnectionLimiter, type ConnectionSlot } from './connection-limiter.ts';
import { type Credentials, encryptionKind, encryptionRemark, isRenewal, keyToProve } from './credentials.ts';
import { encodeFrame } from './frame-writer.ts';
import type { Hello } from './hello.ts';
import type { HostedGuest } from './hosted-guest.ts';
import { receive } from './incoming-migration.ts';
import { IncomingMigrations } from './incoming-migrations.ts';
import { JournalSign } from './journal-sign.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { isLoopback } from './loopback.ts';
import { receivingServer } from './receiving-server.ts';
import { secured } from './secured.ts';
import { turnAway } from './turn-away.ts';

export interface MigrationServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The folder where journals of migrations are kept; without it, none are. */
  readonly journals?: string | undefined;
  /** What every source must prove to have; without one, and without certificates, only this host may connect. */
  readonly key?: Uint8Array | null | undefined;
  readonly tls?: Credentials['tls'];
  readonly limits?: Partial<Limits>;
  /** Called when there is room for a guest, and pages will come. */
  readonly began?: (arrival: Arrival) => void;
  /** Who takes in what comes here and is none of our frames. Without it: nobody. */
  readonly others?: OtherArrivals | undefined;
  /** Called with a line for every connection that has ended, and what a program would read of it. */
  readonly log: (line: string, arrival?: ArrivalEnd) => void;
}

/** What arrives by another protocol on the same port. */
export interface OtherArrivals {
  /** Whether a connection is for them, by its first 8 bytes. */
  are(head: Uint8Array): boolean;
  /**
   * Takes one in, from its first byte on.
   * @param authenticated to be called once the source need not prove itself any more
   * @returns how it ended @throws Failure it was refused
   */
  takeIn(socket: Socket, authenticated: () => void): Promise<ConnectionEnd>;
}

const UNENCRYPTED = 'where there is a key, a machine of QEMU comes encrypted only (tls: off here)';
/** So many may be told at once that there is no room. */
const MOST_TURNED_AWAY = 16;
/** Plain, before any handshake: a fatal alert (RFC 8446, 6), `internal_error`. */
const NO_ROOM = Uint8Array.of(21, 3, 3, 0, 2, 2, 80);

/** Where a destination listens: takes in one migration after another, each over a connection of its own. */
export class MigrationServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #renew: (credentials: Credentials) => void;
  /** Machines that were received may be here although their journals are closed. */
  readonly #sign: JournalSign | undefined;

  private constructor(
    server: Server,
    sockets: Set<Socket>,
    renew: (credentials: Credentials) => void,
    sign: JournalSign | undefined,
  ) {
    const { address: host, port } = server.address() as { address: string; port: number };
    this.address = { host, port };
    this.#server = server;
    this.#sockets = sockets;
    this.#renew = renew;
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
    const { tls, port, journals, began, log } = options;
    const limits = { ...defaultLimits, ...options.limits };
    let credentials: Credentials = { key: options.key ?? null, tls };
    const { others } = options;
    const encrypted = encryptionKind(credentials) !== 'none';
    // What is read in place cannot be looked at first.
    const isCopied = encrypted || others !== undefined;
    const host = await addressOf(options);
    insistOnSecret(options.host, host, credentials);
    const sockets = new Set<Socket>();
    const limiter = new ConnectionLimiter(limits);
    const migrations = new IncomingMigrations();
    const server = receivingServer(limits.connections + MOST_TURNED_AWAY, isCopied, sockets, (socket) => {
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      const slot = limiter.admit();
      if (typeof slot === 'string') {
        turnAway(socket, encrypted ? NO_ROOM : encodeFrame('abort', 0, Buffer.from(slot)));
        log(`${from}: refused: ${slot}`);
        return;
      }
      void takeIn(socket, slot)
        .catch((cause): ConnectionEnd => ({ line: `refused: ${reasonOf(cause)}` }))
        .then(({ line, arrival }) => {
          slot.release();
          log(`${from}: ${printable(line)}`, arrival);
        });
    });
    /** @returns how it ended. @throws Failure the two ends do not agree on how it is encrypted */
    const takeIn = async (socket: Socket, { authenticated }: ConnectionSlot): Promise<ConnectionEnd> => {
      const held = credentials;
      const through = await secured(socket, held, limits.unauthenticatedMs);
      if (encrypted) authenticated();
      const encryption = formatEncryption(encryptionOf(through, held));
      const key = keyToProve(held);
      const settings = { key, limits, authenticated, journals, migrations, began };
      const isOther = others?.are(await headWithin(limits.unauthenticatedMs, through));
      if (isOther && key) throw new Failure(UNENCRYPTED);
      const end = isOther
        ? await others!.takeIn(through, authenticated)
        : await receive(through, { ...settings, prepare: (hello) => prepare(hello, through) });
      return encryptionRemark(held) === '' ? end : { ...end, line: `${end.line}; ${encryption}` };
    };
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(options, error)));
      server.listen(port, host, resolve);
    });
    const renew = (renewed: Credentials) => {
      insistOnSecret(options.host, host, renewed);
      if (isRenewal(credentials, renewed)) credentials = renewed;
    };
    // Where no journal can be kept, each source is told.
    const sign = journals === undefined ? undefined : await JournalSign.hold(journals).catch(() => undefined);
    return new MigrationServer(server, sockets, renew, sign);
  }

  /**
   * From the next connection on another key or other certificates, unless something else would be asked for.
   * @throws Refusal as `listen` does
   */
  renew(credentials: Credentials): void {
    this.#renew(credentials);
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

/** The address of a host to listen on. @throws Failure no such host */
export async function addressOf({
  host,
  port,
}: Pick<MigrationServerOptions, 'host' | 'port'>): Promise<string> {
  const found = await lookup(host).catch((cause) => {
    throw cannotListen({ host, port }, cause);
  });
  return found.address;
}

/** @throws Refusal anybody could connect, with nothing to prove */
export function insistOnSecret(host: string, address: string, credentials: Credentials): void {
  if (credentials.key || encryptionKind(credentials) !== 'none' || isLoopback(address)) return;
  throw new Refusal(
    `listening on ${host} needs a key: give one with --key-file, or certificates with --tls-cert, or listen on 127.0.0.1`,
  );
}

function cannotListen({ host, port }: { host: string; port: number }, cause: unknown): Failure {
  return new Failure(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`);
}
