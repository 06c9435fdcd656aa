import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { foldersLeft, OwnFolder } from '../platform/own-folder.ts';

const PREFIX = 'switchover-stream-';

/**
 * A UNIX socket to which a QEMU of this host migrates. QEMU may run as another user: who knows the name may connect, and only QEMU is
 * told it. Once it has connected nobody else may, and nothing is left of the socket if this process is killed. If it is killed before,
 * the next one that opens such a socket removes it.
 */
export class MigrationSocket {
  /** For QEMU's `migrate`. */
  readonly uri: string;
  readonly connected: Promise<Socket>;
  readonly #folder: OwnFolder;
  readonly #server: Server;

  private constructor(folder: OwnFolder, server: Server, uri: string) {
    this.#folder = folder;
    this.#server = server;
    this.uri = uri;
    this.connected = new Promise((resolve) => {
      server.once('connection', (socket: Socket) => {
        // Whoever reads hears that it has ended.
        socket.on('error', () => {});
        this.close();
        resolve(socket);
      });
    });
  }

  /**
   * @param readAheadBytes how much Node reads before it is asked for: what is there has been sent by QEMU, and waits
   * @throws Failure there is no room for a socket
   */
  static async open(readAheadBytes?: number): Promise<MigrationSocket> {
    await removeLeft();
    const folder = await OwnFolder.make(PREFIX, 0o711);
    const path = join(folder.path, randomBytes(8).toString('hex'));
    const server = createServer(readAheadBytes === undefined ? {} : { highWaterMark: readAheadBytes });
    server.listen({ path, readableAll: true, writableAll: true });
    await once(server, 'listening');
    return new MigrationSocket(folder, server, `unix:${path}`);
  }

  /** Nobody may connect any more; the connection that there is stays. */
  close(): void {
    this.#server.close();
    this.#folder.remove();
  }
}

/** What another user has left is not ours to remove. */
async function removeLeft(): Promise<void> {
  for (const folder of await foldersLeft(PREFIX)) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {}
  }
}
