import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { Failure, printable, Refusal, reasonOf } from '../../platform/failure.ts';
import { settingsFolder } from '../../qemu/borrowed-settings.ts';
import { ConnectionLimiter } from '../../transport/connection-limiter.ts';
import { type Credentials, keyToProve } from '../../transport/credentials.ts';
import { defaultLimits } from '../../transport/limits.ts';
import { addressOf, insistOnSecret } from '../../transport/migration-server.ts';
import { secured } from '../../transport/secured.ts';
import { Arrivals, undecidedArrivals } from './arrivals.ts';
import { takeInMachine } from './arriving-machine.ts';
import type { Verdict } from './settle-destination.ts';

export interface MachineReceiverOptions extends Credentials {
  readonly host: string;
  readonly port: number;
  /** The monitor of a QEMU that waits for a machine. */
  readonly waiting: () => Promise<string>;
  /** The folder where it is written down that a machine has come, until it is known whose it is; without it, one in /tmp. */
  readonly journals?: string | undefined;
  /** Told when a machine is complete there, from when on nobody but its source knows whose it is, and when it runs. */
  readonly arrived?: (how: 'complete' | 'running') => void;
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
    const journals = options.journals ?? settingsFolder();
    // What runs by now, or has ended, need not be written down any more.
    void undecidedArrivals(journals).catch(() => {});
    const arrivals = new Arrivals(journals);
    const limiter = new ConnectionLimiter(defaultLimits);
    const arriving = {
      ...{ arrivals, came: options.arrived },
      slotFor: async () => ({ qmp: await options.waiting(), release() {} }),
      settle: (move: string, verdict: Verdict) => arrivals.settle(move, verdict),
    };
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
      void secured(socket, options, defaultLimits.unauthenticatedMs)
        .then((through) => takeInMachine(through, { ...arriving, authenticated }))
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
