import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, orFailure } from '../platform/failure.ts';
import { MigrationStreamParser } from './migration-stream.ts';
import type { MigrationStreamListener } from './stream-layout.ts';

/** Where a QEMU of this host sends its migration: what arrives is read, told, and thrown away. */
export class StreamSink {
  /** For QEMU's `migrate`. */
  readonly uri: string;
  readonly #folder: string;
  readonly #server: Server;
  #source: Socket | undefined;

  private constructor(folder: string, server: Server, uri: string) {
    this.#folder = folder;
    this.#server = server;
    this.uri = uri;
  }

  /**
   * @param ended is told once why nothing more arrives
   * @throws Failure there is no room for a socket
   */
  static async open(
    listener: MigrationStreamListener,
    { heard, ended }: { readonly heard: () => void; readonly ended: (why: Error) => void },
  ): Promise<StreamSink> {
    // QEMU may run as another user: who knows the name may connect, and only QEMU is told it.
    const folder = orFailure(`cannot make a folder in ${tmpdir()}`, () => {
      const made = mkdtempSync(join(tmpdir(), 'switchover-stream-'));
      chmodSync(made, 0o711);
      return made;
    });
    const path = join(folder, randomBytes(8).toString('hex'));
    const server = createServer();
    server.listen({ path, readableAll: true, writableAll: true });
    await once(server, 'listening');
    const sink = new StreamSink(folder, server, `unix:${path}`);
    server.once('connection', (socket: Socket) => {
      sink.#source = socket;
      sink.#hide();
      const parser = new MigrationStreamParser(listener);
      socket.on('data', (chunk: Buffer) => {
        try {
          parser.push(chunk);
          heard();
        } catch (cause) {
          ended(cause as Error);
          socket.destroy();
        }
      });
      socket.once('error', () => {});
      socket.once('close', () => ended(new Failure('QEMU has closed its migration stream')));
    });
    return sink;
  }

  /** Over the return path. */
  say(message: Buffer): void {
    this.#source?.write(message);
  }

  close(): void {
    this.#source?.destroy();
    this.#hide();
  }

  /** Nobody else may connect, and nothing is left of it if this process is killed. */
  #hide(): void {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
