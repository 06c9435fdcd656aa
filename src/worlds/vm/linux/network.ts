import type { End } from '../../../core/wire/handover.ts';
import { NamespaceShell } from './namespace-shell.ts';

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
 * migration. The bridge does not learn: where the guest is, we say, so that what is sent to it while it is paused
 * waits at the port at which it will run, instead of being lost at the one where it was.
 */
export class Network {
  readonly #shell: NamespaceShell;

  private constructor(shell: NamespaceShell) {
    this.#shell = shell;
  }

  /** @throws Failure no privilege, or no such devices; nothing has been left behind. */
  static async create(): Promise<Network> {
    const shell = new NamespaceShell();
    try {
      await shell.run('ip link set lo up');
      await shell.run(`ip link add ${BRIDGE} type bridge forward_delay 0`);
      await shell.run(`ip address add ${clientHost}/${prefixBits} dev ${BRIDGE}`);
      await shell.run(`ip link set ${BRIDGE} up`);
      for (const port of Object.values(ports)) {
        await shell.run(`ip tuntap add dev ${port} mode tap`);
        await shell.run(`ip link set ${port} master ${BRIDGE}`);
        await shell.run(`ip link set ${port} type bridge_slave learning off`);
      }
      return new Network(shell);
    } catch (cause) {
      await shell.end();
      throw cause;
    }
  }

  get namespace(): string {
    return this.#shell.namespace;
  }

  /** A guest is at the source. */
  async begin(): Promise<void> {
    for (const port of Object.values(ports)) await this.#shell.run(`ip link set ${port} up`);
    await this.move('source');
  }

  plug(end: End): Plug {
    return { namespace: this.namespace, port: ports[end] };
  }

  /** From now on what is sent to the guest goes there. */
  async move(to: End): Promise<void> {
    await this.#shell.run(`bridge fdb replace ${guestMac} dev ${ports[to]} master static`);
  }

  /** Nothing comes from there or goes there any more. */
  async close(end: End): Promise<void> {
    await this.#shell.run(`ip link set ${ports[end]} down`);
  }

  /** The devices go with it, as soon as nobody is in it any more. */
  async end(): Promise<void> {
    await this.#shell.end();
  }
}
