import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { End } from '../../../core/wire/handover.ts';
import { Failure, reasonOf } from '../../failure.ts';
import { Shell } from './shell.ts';

const execute = promisify(execFile);

const BRIDGE = 'bridge';
/** Where the machine's card is plugged in, at either end. */
const ports: Readonly<Record<End, string>> = { source: 'source', destination: 'destination' };

export const clientHost = '10.77.0.1';
export const guestHost = '10.77.0.2';
export const prefixBits = 24;
/** Of the guest's card: wherever it is plugged in, it is the same one. */
export const guestMac = '52:54:00:73:77:6f';

/** How one end's machine is connected: everything that its QEMU must know. */
export interface Plug {
  readonly namespace: string;
  readonly port: string;
}

/**
 * A network of its own: a namespace with a bridge, at which a client sits, and a port (a tap device) for each end of a
 * migration. The bridge does not learn: where the guest is, we say, so that what is sent to it while it stands
 * waits at the port at which it will run, instead of being lost at the one that it has left.
 */
export class Network {
  readonly namespace: string;
  readonly #shell: Shell;

  private constructor(namespace: string, shell: Shell) {
    this.namespace = namespace;
    this.#shell = shell;
  }

  /** @throws Failure no privilege, or no such devices; nothing has been left behind. */
  static async create(): Promise<Network> {
    const namespace = `switchover-${randomBytes(4).toString('hex')}`;
    await run('ip', ['netns', 'add', namespace]);
    const network = new Network(namespace, new Shell(namespace));
    try {
      await network.#ip('link', 'add', BRIDGE, 'type', 'bridge', 'forward_delay', '0');
      await network.#ip('address', 'add', `${clientHost}/${prefixBits}`, 'dev', BRIDGE);
      for (const port of Object.values(ports)) {
        await network.#ip('tuntap', 'add', 'dev', port, 'mode', 'tap');
        await network.#ip('link', 'set', port, 'master', BRIDGE);
        await network.#ip('link', 'set', port, 'type', 'bridge_slave', 'learning', 'off');
      }
      await network.#ip('link', 'set', BRIDGE, 'up');
      await network.#ip('link', 'set', 'lo', 'up');
      return network;
    } catch (cause) {
      await network.end();
      throw cause;
    }
  }

  /** A guest is at the source. */
  async begin(): Promise<void> {
    for (const port of Object.values(ports)) await this.#ip('link', 'set', port, 'up');
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
    await this.#ip('link', 'set', ports[end], 'down');
  }

  /** The devices go with it. */
  async end(): Promise<void> {
    await this.#shell.end();
    await run('ip', ['netns', 'delete', this.namespace]).catch(() => {});
  }

  async #ip(...args: readonly string[]): Promise<void> {
    await run('ip', ['-n', this.namespace, ...args]);
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, args);
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim();
    throw new Failure(
      `a network for a Linux guest: ${program} ${args.join(' ')}: ${said || reasonOf(cause)}`,
    );
  }
}
