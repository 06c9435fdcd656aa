import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NANOS_PER_MILLISECOND } from '../src/core/units.ts';
import { clockNs } from '../src/platform/clock.ts';
import { reasonOf } from '../src/platform/failure.ts';
import { freePort } from '../test/fixtures/free-port.ts';
import { ServedDaemon } from '../test/fixtures/served-daemon.ts';

/** What takes longer than this stands still, and is named. A plan for a target may take two minutes. */
const ANSWERS_WITHIN_MS = 130_000;
const ENDS_WITHIN_MS = 300_000;

/** Two daemons between which a stream server moves to and fro, with and without guarantees, beside hogs. */
export class Demo {
  /** HOST:PORT of the APIs. */
  readonly addresses: readonly string[];
  readonly #daemons: readonly ServedDaemon[];
  readonly #remover: ChildProcess;
  readonly #ending = new AbortController();
  #driving: Promise<void> = Promise.resolve();

  private constructor(daemons: readonly ServedDaemon[], folder: string) {
    this.#daemons = daemons;
    this.#remover = removerOf(folder, this.pids);
    this.addresses = daemons.map(({ address }) => address);
  }

  /**
   * @param ports of the APIs; 0: any free one
   * @param more what the configuration of the first one has besides
   */
  static async start(ports: readonly [number, number] = [0, 0], more: object = {}): Promise<Demo> {
    const folder = mkdtempSync(join(tmpdir(), 'switchover-demo-'));
    const doors = [await freePort(), await freePort()];
    const starting = ['alpha', 'beta'].map((name, index) => {
      const other = { name: ['beta', 'alpha'][index]!, door: doors[1 - index]! };
      const configuration = { ...configurationOf(name, doors[index]!, other), ...(index === 0 && more) };
      return ServedDaemon.start(join(folder, name), configuration, ports[index]!);
    });
    const started = await Promise.allSettled(starting);
    const daemons = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) {
      await Promise.all(daemons.map((daemon) => daemon.end()));
      rmSync(folder, { recursive: true });
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
   * @param rest what it does in between, when neither daemon has work, told at which of them the guest is: 0 or 1
   */
  drive(log: (line: string) => void, rest: (at: number) => Promise<void> = () => this.#rest(1_000)): void {
    // Nothing ends it but `end`.
    this.#driving = this.#drive(log, rest).catch(() => {});
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#driving;
    await Promise.all(this.#daemons.map((daemon) => daemon.end()));
    this.#remover.stdin!.end();
    await once(this.#remover, 'exit');
  }

  /** Goes on whatever happens: a turn that fails says why, and the next one begins where the guest is. */
  async #drive(log: (line: string) => void, rest: (at: number) => Promise<void>): Promise<void> {
    const { signal } = this.#ending;
    for (let turn = 0; !signal.aborted; turn++) {
      try {
        await this.#turn(turn, log);
        await rest(await this.#home());
      } catch (cause) {
        if (signal.aborted) throw cause;
        log(`turn ${turn}: ${reasonOf(cause)}`);
        await this.#rest(1_000);
      }
    }
  }

  /** The guest moves, and an experiment is carried out at the daemon that it has left. */
  async #turn(turn: number, log: (line: string) => void): Promise<void> {
    const here = await this.#home();
    // Shifted with every round, so that each way of moving is seen in both directions.
    const mode = modes[(turn + Math.floor(turn / modes.length)) % modes.length]!;
    const { id } = await this.#ask<View>(here, 'POST', '/api/migrations', {
      guest: 'stream',
      to: here === 0 ? 'beta' : 'alpha',
      over: 'lan',
      ...mode.request,
    });
    const moved = await this.#ended(here, `/api/migrations/${id}`);
    const { outcome = moved.state, reason = moved.why, downtimeNs = 0 } = moved.record ?? {};
    const told = outcome === 'completed' ? `${(downtimeNs / 1e6).toFixed(1)} ms` : reason;
    log(`stream to ${here === 0 ? 'beta' : 'alpha'}, ${mode.name}: ${outcome}, ${told}`);
    const world = turn % 2 === 0 ? 'virtual' : 'threads';
    const asked = await this.#ask<View>(here, 'POST', '/api/experiments', {
      name: 'demo',
      world,
      // In virtual time runs cost little, and a quantile needs more than one.
      scenario: { ...experiment, seed: turn + 1, runs: world === 'virtual' ? 10 : 1 },
    });
    await this.#ended(here, `/api/experiments/${asked.id}`);
  }

  /** Which daemon the guest lives at. */
  async #home(): Promise<number> {
    for (;;) {
      for (const daemon of this.addresses.keys()) {
        const guests = await this.#ask<readonly Guest[]>(daemon, 'GET', '/api/guests');
        if (guests.some(({ name, state }) => name === 'stream' && state === 'running')) return daemon;
      }
      await this.#rest(100);
    }
  }

  /** @throws Error it has not ended in time, and how it stands */
  async #ended(daemon: number, path: string): Promise<View> {
    const untilNs = clockNs() + ENDS_WITHIN_MS * NANOS_PER_MILLISECOND;
    for (;;) {
      const view = await this.#ask<View>(daemon, 'GET', path);
      if (view.endedAt !== null) return view;
      if (clockNs() > untilNs)
        throw new Error(
          `${path} has not ended within ${ENDS_WITHIN_MS / 1e3} s: ${JSON.stringify(view).slice(0, 2_000)}`,
        );
      await this.#rest(100);
    }
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ending.signal });
  }

  async #ask<T>(daemon: number, method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`http://${this.addresses[daemon]}${path}`, {
      method,
      signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ANSWERS_WITHIN_MS)]),
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }).catch((cause) => {
      throw new Error(`${method} ${path} of ${this.addresses[daemon]}: ${reasonOf(cause)}`);
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

/**
 * Removes the folder once its pipe is closed and these processes have ended, so also after a demonstration that was killed.
 * In a process group of its own, which Ctrl-C does not reach.
 */
function removerOf(folder: string, pids: readonly number[]): ChildProcess {
  const script = 'cat; while kill -0 "$1" || kill -0 "$2"; do sleep 0.1; done; rm -rf "$0"';
  const args = ['-c', script, folder, ...pids.map(String)];
  return spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

interface View {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string | null;
  readonly why?: string | null;
  readonly record?: { readonly outcome: string; readonly reason: string; readonly downtimeNs: number } | null;
}

interface Guest {
  readonly name: string;
  readonly state: string;
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
    request: { ...move, sender: { cpuPerPage: '50us' }, cpu: { scheduler: 'fair' }, background: hogs },
  },
  {
    name: 'beside hogs, the sender with 5 of 10 ms',
    request: { ...move, sender: sender('5ms'), cpu: { scheduler: 'cbs-hard' }, background: hogs },
  },
  {
    name: 'beside hogs, the sender with 8 of 10 ms, hot pages held back',
    request: {
      ...move,
      migration: { ...move.migration, order: 'threshold', defer: { threshold: 0.3 } },
      sender: sender('8ms'),
      cpu: { scheduler: 'cbs-hard' },
      background: hogs,
    },
  },
  { name: 'with nobody beside it', request: { ...move, sender: { cpuPerPage: '50us' } } },
  {
    name: 'for a target',
    request: { target: 'downtime<=150ms@0.9', migration: { order: 'lru', observe: '400ms' } },
  },
];

/** Guest and sender on one processor: what a migration alone cannot show, as its guest has a processor to itself. */
export const experiment = {
  describe: 'A stream server and its sender on one processor: alone, beside two hogs, and with guarantees',
  guest: {
    name: 'stream',
    pages: 1024,
    program: { kind: 'stream', cpuPerFrame: '6ms', pagesPerFrame: 60, buffers: 400 },
  },
  sender: { cpuPerPage: '50us' },
  link: { rate: '1Gbit/s' },
  migration: { order: 'random', stop: { rule: 'rounds', rounds: 1 } },
  compare: {
    'background, cpu.scheduler, guest.reservation, sender.reservation': [
      [[], 'fair', 'none', 'none'],
      [hogs, 'fair', 'none', 'none'],
      [hogs, 'cbs-hard', { budget: '4ms', period: '10ms' }, { budget: '5ms', period: '10ms' }],
    ],
  },
};
