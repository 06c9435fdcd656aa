import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { large, links } from '../test/fixtures/daemon-clients.ts';
import { ask, Daemons, eventually, guestsOf } from '../test/fixtures/daemons.ts';
import { freePort } from '../test/fixtures/free-port.ts';
import type { ServedDaemon } from '../test/fixtures/served-daemon.ts';

/**
 * 256 MiB of which 1,500 pages are dirty at the stop: at b_d half a second. The bucket is shallow, so that how full it is at
 * the stop makes no more than 5 ms of it.
 */
const moving = {
  name: 'moving',
  pages: 65_536,
  program: { kind: 'saturating', pages: 1_500, writesPerSecond: 3_000 },
};
const move = {
  link: { rate: '800Mbit/s', stopRate: '100Mbit/s', depth: '64KiB' },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
};
/** Where the clients are during a move: nowhere, at its source, or at its destination. */
const places = ['nowhere', 'at the source', 'at the destination'] as const;
type Place = (typeof places)[number];

/** So many moves of a guest each way: beside nobody, and beside many clients of its source or of its destination. */
export async function besideRequests(moves: number): Promise<void> {
  const daemons = new Daemons();
  const doors = [await freePort(), await freePort()];
  const start = (index: number, guests: readonly object[]) =>
    daemons.start(['alpha', 'beta'][index]!, {
      receive: { listen: `127.0.0.1:${doors[index]}` },
      peers: { other: { address: `127.0.0.1:${doors[1 - index]}` } },
      links,
      guests,
    });
  try {
    const [alpha, beta] = await Promise.all([start(0, [moving, large]), start(1, [large])]);
    const seen: Record<Place, MigrationRecord[]> = {
      nowhere: [],
      'at the source': [],
      'at the destination': [],
    };
    const told: string[] = [];
    for (let count = 0; count < moves; count++) {
      for (const place of places) {
        const at = { nowhere: undefined, 'at the source': alpha, 'at the destination': beta }[place];
        const clients = at && (await Clients.start(at.address));
        seen[place].push(await moved(alpha, beta));
        if (clients) told.push(`${place}: ${await clients.end()}`);
        await moved(beta, alpha);
      }
    }
    console.log(
      `beside: a guest of 256 MiB, ${moves} moves each; clients: 1,000 watch, 50 POSTs and a scrape a second`,
    );
    for (const place of places) {
      const records = seen[place];
      const ms = records.map(({ downtimeNs }) => downtimeNs / 1e6);
      const [low, median, high] = [0, 0.5, 1].map((q) => quantile(ms, q).toFixed(1));
      console.log(`  clients ${place.padEnd(18)} downtime median ${median} ms (${low} to ${high})`);
      console.log(`    ${medianParts(records)}`);
    }
    console.log(`  last answers ${told.slice(-2).join('\n               ')}`);
  } finally {
    await daemons.end();
  }
}

/** The median of each part of the downtime, and of the pages sent in it. */
function medianParts(records: readonly MigrationRecord[]): string {
  const median = (of: (record: MigrationRecord) => number) => quantile(records.map(of), 0.5);
  const parts = (['memoryNs', 'stateNs', 'commitNs', 'resumeNs'] as const).map(
    (part) =>
      `${part.replace('Ns', '')} ${(median(({ downtimeParts }) => downtimeParts[part]) / 1e6).toFixed(1)} ms`,
  );
  return `${parts.join(', ')}; ${median(({ stop }) => stop.pages)} pages`;
}

/** @returns its record */
async function moved(from: ServedDaemon, to: ServedDaemon): Promise<MigrationRecord> {
  // What computes at the source would delay the request and not the migration, so it is repeated until it is taken.
  const { body } = await eventually(
    () => ask(from, 'POST', '/api/migrations', { guest: 'moving', to: 'other', ...move }),
    ({ status }) => status === 202,
  );
  const { body: view } = await eventually(
    () => ask(from, 'GET', `/api/migrations/${body.id}`),
    ({ body: { endedAt } }) => endedAt !== null,
  );
  if (view.state !== 'completed') throw new Error(`${view.state}: ${view.why}`);
  await eventually(guestsOf(to), (guests) =>
    guests.some(({ name, state }) => name === 'moving' && state === 'running'),
  );
  await sleep(500);
  return view.record;
}

/** `daemon-clients-main.ts`, as clients elsewhere would be: what it computes goes last on this machine. */
class Clients {
  readonly #child: ChildProcess;
  readonly #lines: ReturnType<typeof createInterface>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface(child.stdout!);
  }

  static async start(address: string): Promise<Clients> {
    const main = new URL('./daemon-clients-main.js', import.meta.url).pathname;
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const clients = new Clients(
      spawn('nice', ['-n', '15', process.execPath, main, address], { stdio: [...stdio] }),
    );
    await once(clients.#lines, 'line');
    return clients;
  }

  /** @returns what was answered to them */
  async end(): Promise<string> {
    const told = once(this.#lines, 'line');
    this.#child.stdin!.end();
    return (await told)[0] as string;
  }
}
