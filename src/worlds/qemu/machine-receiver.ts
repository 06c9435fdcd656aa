import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { Failure, printable, Refusal, reasonOf } from '../../platform/failure.ts';
import { settingsFolder } from '../../qemu/borrowed-settings.ts';
import { ConnectionLimiter } from '../../transport/connection-limiter.ts';
import { type Credentials, keyToProve } from '../../transport/credentials.ts';
import { defaultLimits } from '../../transport/limits.ts';
import { addressOf, insistOnSecret } from '../../transport/migration-server.ts';
import { secured } from '../../transport/secured.ts';
import { Arrivals, undecidedArrivals } from './arrivals.ts';
import { LocalDestination } from './local-destination.ts';
import { MachineChannel } from './machine-channel.ts';

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
 * Where a QEMU waits for a machine from another host: takes in its stream over a connection that is encrypted and authenticated as
 * those of all receivers, and runs the machine only when its source says so. A source that is lost before it has handed the machine over
 * ends the waiting QEMU; one that is lost after everything has come leaves it complete and paused, since nobody here knows whose it is.
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
    const server = createServer((socket) => {
      const slot = limiter.admit();
      if (typeof slot === 'string') {
        socket.destroy();
        options.log(`refused: ${slot}`);
        return;
      }
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      socket.on('error', () => {});
      void takeIn(socket, options, arrivals, slot.authenticated)
        .catch((cause) => `refused: ${reasonOf(cause)}`)
        .then((line) => {
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

/** @returns how it ended */
async function takeIn(
  socket: Socket,
  options: MachineReceiverOptions,
  arrivals: Arrivals,
  authenticated: () => void,
): Promise<string> {
  const { unauthenticatedMs, silenceMs } = defaultLimits;
  const channel = new MachineChannel(await secured(socket, options, unauthenticatedMs));
  socket.setTimeout(silenceMs, () => socket.destroy());
  let machine: LocalDestination | undefined;
  let isComplete = false;
  try {
    const first = await channel.next(unauthenticatedMs);
    if (first.kind === 'settle') {
      authenticated();
      const settled = await arrivals.settle(first.move, first.verdict);
      channel.say({ kind: 'settled', ...settled });
      return `its source says that the machine is ${first.verdict === 'end' ? 'not ours' : 'ours'}: it ${settled.did}`;
    }
    if (first.kind !== 'prepare') throw new Failure(`expected 'prepare', found '${first.kind}'`);
    authenticated();
    machine = await LocalDestination.open(await options.waiting());
    const known = await machine.place();
    const stream = await machine.connect();
    channel.say({ kind: 'waiting' });
    channel.stream.pipe(stream);
    stream.pipe(channel.stream, { end: false });
    stream.on('error', () => channel.stream.destroy());
    channel.stream.on('close', () => stream.destroy());
    machine.completed.then(
      () => {
        isComplete = true;
        arrivals.note(first.move, known);
        options.arrived?.('complete');
        channel.say({ kind: 'completed' });
      },
      () => channel.stream.destroy(),
    );
    const last = await channel.next();
    if (last.kind === 'abandon') {
      await machine.abandon();
      arrivals.forget(first.move);
      return 'the machine stayed at its source';
    }
    if (last.kind !== 'run' || !isComplete) throw new Failure(`found '${last.kind}' before all had come`);
    await machine.run();
    channel.say({ kind: 'running' });
    options.arrived?.('running');
    return 'the machine runs here';
  } catch (cause) {
    if (isComplete) {
      return `${reasonOf(cause)}: the machine is here, complete and paused; switchover recover at its source says whose it is`;
    }
    if (!machine) channel.say({ kind: 'refused', why: printable(reasonOf(cause)) });
    await machine?.abandon();
    throw cause;
  } finally {
    machine?.close();
    channel.close();
  }
}
