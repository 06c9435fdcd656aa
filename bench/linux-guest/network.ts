import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { End } from '../../src/core/wire/handover.ts';
import { kill } from '../../src/platform/child-process.ts';
import { Failure } from '../../src/platform/failure.ts';

const BRIDGE = 'bridge';
/** Where the machine's card is plugged in, at either end. */
const ports: Readonly<Record<End, string>> = { source: 'source', destination: 'destination' };

const clientHost = '10.77.0.1';
export const guestHost = '10.77.0.2';
export const prefixBits = 24;
/** Of the guest's card: wherever it is plugged in, it is the same one. */
export const guestMac = '52:54:00:73:77:6f';

/** How one end's machine is connected: everything that its QEMU must know. */
export interface Plug {
  /** A file, as nsenter(1) takes it. */
  readonly namespace: string;
  readonly port: string;
}

/**
 * A network of its own: a namespace with a bridge, at which a client sits, and a port (a tap device) for each end of a
 * migration. Unless it is to learn, the bridge is told by us where the guest is, so that what is sent to it while it is paused
 * waits at the port at which it will run, instead of being lost at the one where it was. If it learns, the guest's own frames tell it.
 *
 * The namespace has no name: it ends with the last process in it, and its shell ends with us, so that nothing is left
 * behind. The shell waits for commands: one in the middle of a hand-over takes a few milliseconds, where a process that is
 * started from one of our size takes many.
 */
export class Network {
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: NodeJS.AsyncIterator<string>;
  readonly #learns: boolean;

  private constructor(learns: boolean) {
    this.#learns = learns;
    const command = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh'];
    this.#shell = spawn('setpriv', command, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    this.#shell.stdin.on('error', () => {});
    this.#shell.on('error', () => {});
    this.#answers = createInterface(this.#shell.stdout)[Symbol.asyncIterator]();
  }

  /** @throws Failure no privilege, or no such devices; nothing has been left behind. */
  static async create({ learns = false } = {}): Promise<Network> {
    const network = new Network(learns);
    try {
      await network.#run('ip link set lo up');
      await network.#run(`ip link add ${BRIDGE} type bridge forward_delay 0`);
      await network.#run(`ip address add ${clientHost}/${prefixBits} dev ${BRIDGE}`);
      await network.#run(`ip link set ${BRIDGE} up`);
      for (const port of Object.values(ports)) {
        await network.#run(`ip tuntap add dev ${port} mode tap`);
        await network.#run(`ip link set ${port} master ${BRIDGE}`);
        await network.#run(`ip link set ${port} type bridge_slave learning ${learns ? 'on' : 'off'}`);
      }
      return network;
    } catch (cause) {
      await network.end();
      throw cause;
    }
  }

  /** A file, as nsenter(1) takes it. */
  get namespace(): string {
    return `/proc/${this.#shell.pid}/ns/net`;
  }

  /** A guest is at the source. */
  async begin(): Promise<void> {
    for (const port of Object.values(ports)) await this.#run(`ip link set ${port} up`);
    await this.move('source');
  }

  plug(end: End): Plug {
    return { namespace: this.namespace, port: ports[end] };
  }

  /** From now on what is sent to the guest goes there, unless the bridge learns that by itself. */
  async move(to: End): Promise<void> {
    if (this.#learns) return;
    await this.#run(`bridge fdb replace ${guestMac} dev ${ports[to]} master static`);
  }

  /** Nothing comes from there or goes there any more. */
  async close(end: End): Promise<void> {
    await this.#run(`ip link set ${ports[end]} down`);
  }

  /** The devices go with it, as soon as nobody is in it any more. */
  end(): Promise<void> {
    return kill(this.#shell);
  }

  /** One command at a time. @throws Failure it did not succeed. */
  async #run(command: string): Promise<void> {
    this.#shell.stdin.write(`${command} 2>&1 | tr '\\n' ' '; echo\n`);
    const { value, done } = await this.#answers.next();
    const said = done ? 'network namespaces need root' : value.trim();
    if (said !== '') throw new Failure(`cannot set up the network of a Linux guest: ${command}: ${said}`);
  }
}
