import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';

/** Two daemons between which a stream server moves to and fro, with and without guarantees, beside hogs. */
export class Demo {
  /** HOST:PORT of the APIs. */
  readonly addresses: readonly string[];
  readonly #daemons: readonly ServedDaemon[];
  readonly #folder: string;
  readonly #ending = new AbortController();
  #driving: Promise<void> = Promise.resolve();

  private constructor(daemons: readonly ServedDaemon[], folder: string) {
    this.#daemons = daemons;
    this.#folder = folder;
    this.addresses = daemons.map(({ address }) => address);
  }

  /** @param ports of the APIs; 0: any free one */
  static async start(ports: readonly [number, number] = [0, 0]): Promise<Demo> {
    const folder = mkdtempSync(join(tmpdir(), 'switchover-demo-'));
    const doors = [await freePort(), await freePort()];
    const starting = ['alpha', 'beta'].map((name, index) => {
      const other = { name: ['beta', 'alpha'][index]!, door: doors[1 - index]! };
      const configuration = configurationOf(name, doors[index]!, other);
      return ServedDaemon.start(join(folder, name), configuration, ports[index]!);
    });
    const started = await Promise.allSettled(starting);
    const daemons = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await Promise.all(daemons.map((daemon) => daemon.end()));
      throw failed.reason;
    }
    return new Demo(daemons, folder);
  }

  get pids(): readonly number[] {
    return this.#daemons.map(({ pid }) => pid);
  }

  /**
   * Starts to move the guest and to ask for experiments.
   * @param log told what it does
   * @param rest what it does in between, when neither daemon has work; the guest is at beta after turns 0, 2, …
   */
  drive(log: (line: string) => void, rest: (turn: number) => Promise<void> = () => this.#rest(1_000)): void {
    this.#driving = this.#drive(log, rest).catch((cause) => {
      if (!this.#ending.signal.aborted) log(`the driver has stopped: ${cause}`);
    });
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#driving;
    await Promise.all(this.#daemons.map((daemon) => daemon.end()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #drive(log: (line: string) => void, rest: (turn: number) => Promise<void>): Promise<void> {
    const { signal } = this.#ending;
    for (let turn = 0; !signal.aborted; turn++) {
      const here = turn % 2;
      // Shifted with every round, so that each way of moving is seen in both directions.
      const mode = modes[(turn + Math.floor(turn / modes.length)) % modes.length]!;
      const { id } = await this.#ask<View>(here, 'POST', '/api/migrations', {
        guest: 'stream',
        to: here === 0 ? 'beta' : 'alpha',
        over: 'lan',
        ...mode.journey,
      });
      const moved = await this.#ended(here, `/api/migrations/${id}`);
      const { outcome = moved.state, downtimeNs = 0 } = moved.record ?? {};
      log(
        `stream to ${here === 0 ? 'beta' : 'alpha'}, ${mode.name}: ${outcome}, ${(downtimeNs / 1e6).toFixed(1)} ms`,
      );
      const world = turn % 2 === 0 ? 'virtual' : 'threads';
      const scenario = { ...experiment, seed: turn + 1 };
      const asked = await this.#ask<View>(here, 'POST', '/api/experiments', {
        name: 'demo',
        world,
        scenario,
      });
      await this.#ended(here, `/api/experiments/${asked.id}`);
      await rest(turn);
    }
  }

  async #ended(daemon: number, path: string): Promise<View> {
    for (;;) {
      const view = await this.#ask<View>(daemon, 'GET', path);
      if (view.endedAt !== null) return view;
      await this.#rest(100);
    }
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ending.signal });
  }

  async #ask<T>(daemon: number, method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`http://${this.addresses[daemon]}${path}`, {
      method,
      signal: this.#ending.signal,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

interface View {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string | null;
  readonly record?: { readonly outcome: string; readonly downtimeNs: number } | null;
}

/** A daemon in a process of its own, as `switchover serve` starts it. */
export class ServedDaemon {
  readonly address: string;
  readonly #child: ChildProcess;
  #log: string;

  private constructor(child: ChildProcess, address: string, log: string) {
    this.#child = child;
    this.address = address;
    this.#log = log;
    child.stderr!.on('data', (text: Buffer) => {
      this.#log = (this.#log + text).slice(-20_000);
    });
  }

  /** @param folder where its configuration is written, and its state */
  static async start(folder: string, configuration: object, port = 0): Promise<ServedDaemon> {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'daemon.yaml');
    writeFileSync(file, stringify({ state: './state', ...configuration }));
    const main = resolve('dist/cli/main.js');
    const child = spawn(
      process.execPath,
      [main, 'serve', '--config', file, '--listen', `127.0.0.1:${port}`],
      // The channel only ends: with whoever started it, were it killed.
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    );
    let complaint = '';
    const hear = (text: Buffer) => {
      complaint += text;
    };
    child.stderr!.on('data', hear);
    for await (const line of createInterface(child.stdout!)) {
      const address = /^listening on (.+)$/.exec(line)?.[1];
      if (address === undefined) continue;
      child.stderr!.off('data', hear);
      child.stdout!.resume();
      return new ServedDaemon(child, address, complaint);
    }
    throw new Error(`the daemon did not start: ${complaint}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The latest of what it has written to its log. */
  get log(): string {
    return this.#log;
  }

  /** @returns its exit code; null if the signal has ended it */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exited;
    }
    return this.#child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function configurationOf(name: string, door: number, other: { name: string; door: number }): object {
  const stream = {
    name: 'stream',
    pages: 2048,
    program: { kind: 'stream', frame: '40ms', cpuPerFrame: '3ms', pagesPerFrame: 60, buffers: 600 },
  };
  return {
    name,
    receive: { listen: `127.0.0.1:${door}` },
    drain: '5s',
    target: { downtime: '100ms' },
    peers: { [other.name]: { address: `127.0.0.1:${other.door}` } },
    links: { lan: { capacity: '1Gbit/s' } },
    guests: name === 'alpha' ? [stream] : [],
  };
}

const hogs = [{ kind: 'cpu-hog', count: 2 }];
const sender = (budget: string) => ({ cpuPerPage: '50us', reservation: { budget, period: '10ms' } });
const move = {
  link: { rate: '800Mbit/s' },
  migration: { order: 'lru', observe: '400ms', stop: { rule: 'rounds', rounds: 2 } },
};

/** How the guest moves, in turn. */
const modes = [
  {
    name: 'beside hogs, without a guarantee',
    journey: { ...move, sender: { cpuPerPage: '50us' }, cpu: { scheduler: 'fair' }, background: hogs },
  },
  {
    name: 'beside hogs, the sender with 5 of 10 ms',
    journey: { ...move, sender: sender('5ms'), cpu: { scheduler: 'cbs-hard' }, background: hogs },
  },
  {
    name: 'beside hogs, the sender with 8 of 10 ms, hot pages held back',
    journey: {
      ...move,
      migration: { ...move.migration, order: 'threshold', defer: { threshold: 0.3 } },
      sender: sender('8ms'),
      cpu: { scheduler: 'cbs-hard' },
      background: hogs,
    },
  },
  { name: 'with nobody beside it', journey: { ...move, sender: { cpuPerPage: '50us' } } },
];

/** Guest and sender on one processor: what a migration alone cannot show, as its guest has a processor to itself. */
export const experiment = {
  describe: 'A stream server, its sender and two hogs on one processor, without and with guarantees',
  guest: {
    name: 'stream',
    pages: 1024,
    program: { kind: 'stream', cpuPerFrame: '6ms', pagesPerFrame: 60, buffers: 400 },
  },
  sender: { cpuPerPage: '50us' },
  background: hogs,
  link: { rate: '1Gbit/s' },
  migration: { order: 'random', stop: { rule: 'rounds', rounds: 1 } },
  compare: {
    'cpu.scheduler, guest.reservation, sender.reservation': [
      ['fair', 'none', 'none'],
      ['cbs-hard', { budget: '4ms', period: '10ms' }, { budget: '5ms', period: '10ms' }],
    ],
  },
};

/** One that nobody has at this moment: for what must be told its port, or has to tell it beforehand. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
