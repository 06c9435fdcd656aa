import { createServer, type Server, type Socket } from 'node:net';
import { totalmem } from 'node:os';
import { Failure, reasonOf } from '../failure.ts';
import { pagesNeeded, usedPages } from '../guests/programs.ts';
import type { Hello } from '../transfer/hello.ts';
import { type HostedGuest, receive } from '../transfer/receiver.ts';
import { GuestThread } from './guest-thread.ts';

export interface DestinationOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Accept only guests of this many pages, of this size; a machine of fixed memory. */
  readonly pages?: number | undefined;
  readonly pageSizeBytes?: number | undefined;
  /** Called with a line for everything that happens. */
  readonly log: (line: string) => void;
}

/** A destination that takes in one migration after another. */
export class Destination {
  readonly address: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #guests: Set<GuestThread>;

  private constructor(
    server: Server,
    address: { host: string; port: number },
    sockets: Set<Socket>,
    guests: Set<GuestThread>,
  ) {
    this.#server = server;
    this.address = address;
    this.#sockets = sockets;
    this.#guests = guests;
  }

  /** @throws Failure the address cannot be listened on. */
  static async listen(options: DestinationOptions): Promise<Destination> {
    const sockets = new Set<Socket>();
    const guests = new Set<GuestThread>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      void receive(socket, (hello) => prepare(hello, options, guests)).then((how) => {
        sockets.delete(socket);
        options.log(`${from}: ${how}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new Failure(`cannot listen on ${options.host}:${options.port}: ${reasonOf(error)}`)),
      );
      server.listen(options.port, options.host, resolve);
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

/** A guest's thread, standing over empty memory. @throws Failure this destination does not take such a guest. */
async function prepare(
  { guest, heartbeats }: Hello,
  options: DestinationOptions,
  guests: Set<GuestThread>,
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
  const thread = await GuestThread.empty(guest, heartbeats);
  guests.add(thread);
  const discard = async () => {
    guests.delete(thread);
    await thread.end();
  };
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
