import type { Socket } from 'node:net';
import { Failure } from '../platform/failure.ts';
import { MigrationSocket } from './migration-socket.ts';
import { MigrationStreamParser } from './migration-stream.ts';
import type { MigrationStreamListener } from './stream-layout.ts';

/** Where a QEMU of this host sends its migration: what arrives is read, told, and thrown away. */
export class StreamSink {
  readonly #socket: MigrationSocket;
  #source: Socket | undefined;

  private constructor(socket: MigrationSocket) {
    this.#socket = socket;
  }

  /** For QEMU's `migrate`. */
  get uri(): string {
    return this.#socket.uri;
  }

  /**
   * @param ended is told once why nothing more arrives
   * @throws Failure there is no room for a socket
   */
  static async open(
    listener: MigrationStreamListener,
    { heard, ended }: { readonly heard: () => void; readonly ended: (why: Error) => void },
  ): Promise<StreamSink> {
    const sink = new StreamSink(await MigrationSocket.open());
    void sink.#socket.connected.then((source) => {
      sink.#source = source;
      const parser = new MigrationStreamParser(listener);
      source.on('data', (chunk: Buffer) => {
        try {
          parser.push(chunk);
          heard();
        } catch (cause) {
          ended(cause as Error);
          source.destroy();
        }
      });
      source.once('error', () => {});
      source.once('close', () => ended(new Failure('QEMU has closed its migration stream')));
    });
    return sink;
  }

  /** Over the return path. */
  say(message: Buffer): void {
    this.#source?.write(message);
  }

  close(): void {
    this.#source?.destroy();
    this.#socket.close();
  }
}
