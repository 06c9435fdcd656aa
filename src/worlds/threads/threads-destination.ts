import { Failure } from '../../platform/failure.ts';
import type { Hello } from '../../transport/hello.ts';
import { MigrationServer, type MigrationServerOptions } from '../../transport/migration-server.ts';
import { GuestInstances } from './guest-instances.ts';

export interface ThreadsDestinationOptions extends MigrationServerOptions {
  /** Accept only guests of this many pages, of this size; a machine of fixed memory. */
  readonly pages?: number | undefined;
  readonly pageSizeBytes?: number | undefined;
}

/** The receiving end of a host. Guests that have arrived stay. */
export class ThreadsDestination {
  readonly #server: MigrationServer;
  readonly #guests: GuestInstances;

  private constructor(server: MigrationServer, guests: GuestInstances) {
    this.#server = server;
    this.#guests = guests;
  }

  /**
   * @param guests who lives here already
   * @throws Failure, Refusal as `MigrationServer.listen` does
   */
  static async listen(
    options: ThreadsDestinationOptions,
    guests = new GuestInstances(),
  ): Promise<ThreadsDestination> {
    const server = await MigrationServer.listen(options, async (hello) => {
      checkSize(hello, options);
      return guests.expect(hello);
    });
    return new ThreadsDestination(server, guests);
  }

  get address(): MigrationServer['address'] {
    return this.#server.address;
  }

  /** Hangs up, ends every guest and stops listening. */
  async close(): Promise<void> {
    this.#server.hangUp();
    await this.#guests.end();
    await this.#server.close();
  }
}

/** @throws Failure this destination takes guests of another size only. */
function checkSize({ guest }: Hello, options: ThreadsDestinationOptions): void {
  const { pages = guest.pages, pageSizeBytes = guest.pageSizeBytes } = options;
  if (guest.pages === pages && guest.pageSizeBytes === pageSizeBytes) return;
  throw new Failure(
    `a guest of ${guest.pages} pages of ${guest.pageSizeBytes} bytes; expected ${pages} pages of ${pageSizeBytes} bytes`,
  );
}
