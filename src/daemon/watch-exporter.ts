import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure, reasonOf } from '../platform/failure.ts';
import type { WatchEvent } from '../run/watch/watch-event.ts';
import { formatAddress } from '../transport/address.ts';
import { type WatchedByCommand, WatchMetrics } from './watch-metrics.ts';

/** More scrapers than anybody has. */
const MOST_CONNECTIONS = 50;

/** Answers scrapes of `/metrics`. Nothing can be changed through it. */
export class WatchExporter {
  readonly #server: Server;
  readonly #metrics: WatchMetrics;

  private constructor(server: Server, metrics: WatchMetrics) {
    this.#server = server;
    this.#metrics = metrics;
  }

  /** @throws Failure it cannot listen there */
  static async listen(
    { host, port }: { readonly host: string; readonly port: number },
    monitors: readonly WatchedByCommand[],
  ): Promise<WatchExporter> {
    const metrics = new WatchMetrics(monitors);
    const server = createServer(async ({ method, url }, response) => {
      if (url?.split('?')[0] !== '/metrics') return response.writeHead(404).end('only /metrics is here\n');
      if (method !== 'GET') return response.writeHead(405, { allow: 'GET' }).end();
      return response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.scrape());
    });
    server.maxConnections = MOST_CONNECTIONS;
    await new Promise<void>((listening, refused) => {
      server.once('error', (cause) =>
        refused(new Failure(`cannot listen on ${formatAddress({ host, port })}: ${reasonOf(cause)}`)),
      );
      server.listen({ host, port }, listening);
    });
    return new WatchExporter(server, metrics);
  }

  /** Takes what is counted. */
  happened(event: WatchEvent): void {
    this.#metrics.happened(event);
  }

  /** Where it listens: port 0 was a free one. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
