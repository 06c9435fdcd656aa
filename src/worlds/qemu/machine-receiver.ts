import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { Failure, printable, Refusal, reasonOf } from '../../platform/failure.ts';
import { ConnectionLimiter } from '../../transport/connection-limiter.ts';
import { type Credentials, keyToProve } from '../../transport/credentials.ts';
import { defaultLimits } from '../../transport/limits.ts';
import { addressOf, insistOnSecret } from '../../transport/migration-server.ts';
import { secured } from '../../transport/secured.ts';
import { takeInMachine } from './arriving-machine.ts';

export interface MachineReceiverOptions extends Credentials {
  readonly host: string;
  readonly port: number;
  /** The monitor of the QEMU that waits for a machine. */
  readonly qmp: string;
  /** Called with a line for every connection that has ended. */
  readonly log: (line: string) => void;
}

/**
 * Where one QEMU waits for a machine from another host, whatever its guest is called: connections are encrypted and authenticated as
 * those of all receivers.
 */
export class MachineReceiver {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws Failure it cannot listen there @throws Refusal others could connect with nothing to prove */
  static async listen(options: MachineReceiverOptions): Promise<MachineReceiver> {
    if (keyToProve(options)) throw new Refusal('--tls off: a machine of QEMU comes encrypted only');
    const host = await addressOf(options);
    insistOnSecret(options.host, host, options);
    const limiter = new ConnectionLimiter(defaultLimits);
    const undecided = new Map<string, string>();
    const server = createServer((socket) => {
      const slot = limiter.admit();
      if (typeof slot === 'string') {
        socket.destroy();
        options.log(`refused: ${slot}`);
        return;
      }
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      socket.on('error', () => {});
      const { authenticated } = slot;
      const slotFor = async () => ({ qmp: options.qmp, release() {} });
      void secured(socket, options, defaultLimits.unauthenticatedMs)
        .then((through) => takeInMachine(through, { slotFor, undecided, authenticated }))
        .catch((cause) => ({ line: `refused: ${reasonOf(cause)}` }))
        .then(({ line }) => {
          slot.release();
          options.log(`${from}: ${printable(line)}`);
        });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new Failure(`cannot listen on ${options.host}:${options.port}: ${reasonOf(error)}`)),
      );
      server.listen(options.port, host, resolve);
    });
    return new MachineReceiver(server);
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address: host, port } = this.#server.address() as { address: string; port: number };
    return { host, port };
  }

  /** Takes in nobody any more. */
  close(): void {
    this.#server.close();
  }
}
