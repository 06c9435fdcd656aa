import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../src/study/statistics/estimate.ts';

/** Milliseconds, in the order in which they were seen. */
interface Seen {
  readonly scrapes: number[];
  /** The p99 of what Node's own histogram saw in each second: one interval of 10 ms and how late its timer was. */
  readonly delays: number[];
  failed: number;
}

/** What nobody counts: the client's own first requests, which load it. */
const WARM_UPS = 5;

/** Scrapes a daemon every second, and beside it a process that does nothing: the one with the other is what to read. */
export class Scraper {
  readonly daemon: Seen = { scrapes: [], delays: [], failed: 0 };
  readonly idle: Seen = { scrapes: [], delays: [], failed: 0 };
  readonly #child: ChildProcess;
  readonly #ending = new AbortController();
  readonly #scraping: Promise<void>;

  private constructor(child: ChildProcess, daemon: string, idle: string) {
    this.#child = child;
    this.#scraping = this.#scrape(daemon, idle);
  }

  static async start(daemon: string): Promise<Scraper> {
    const main = new URL('./daemon-idle-main.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      const idle = line.replace('listening on ', '');
      for (let time = 0; time < WARM_UPS; time++) {
        for (const address of [daemon, idle]) await look(address, { scrapes: [], delays: [], failed: 0 });
      }
      return new Scraper(child, daemon, idle);
    }
    throw new Error('the idle process did not start');
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#scraping;
    this.#child.kill();
  }

  /** Both, line by line. */
  told(): string {
    const line = (name: string, { scrapes, delays, failed }: Seen) =>
      `  ${name.padEnd(13)} scrape p50 ${ms(scrapes, 0.5)}, p99 ${ms(scrapes, 0.99)}, ${failed} of ${scrapes.length + failed} failed; event-loop delay p99 of each second: median ${ms(delays, 0.5)}, p90 ${ms(delays, 0.9)}, worst ${ms(delays, 1)}`;
    return `${line('daemon', this.daemon)}\n${line('idle process', this.idle)}`;
  }

  async #scrape(daemon: string, idle: string): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const sinceMs = performance.now();
      await look(daemon, this.daemon);
      await look(idle, this.idle);
      const leftMs = Math.max(0, 1_000 - (performance.now() - sinceMs));
      await sleep(leftMs, undefined, { signal }).catch(() => {});
    }
  }
}

async function look(address: string, seen: Seen): Promise<void> {
  try {
    const sinceMs = performance.now();
    await text(address, '/metrics');
    seen.scrapes.push(performance.now() - sinceMs);
    const [, p99 = ''] =
      /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await text(address, '/metrics/node')) ?? [];
    seen.delays.push(Number(p99) * 1e3);
  } catch {
    seen.failed += 1;
  }
}

async function text(address: string, path: string): Promise<string> {
  const answer = await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

function ms(values: readonly number[], p: number): string {
  return `${quantile(values, p).toFixed(1)} ms`;
}
