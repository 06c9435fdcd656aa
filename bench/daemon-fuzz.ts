import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { badRequests } from '../test/fixtures/bad-requests.ts';
import { ask, Daemons, eventually, reading, stream } from '../test/fixtures/daemons.ts';
import { storm } from '../test/fixtures/request-storm.ts';

/** In pieces, so that not all are in memory at once. */
const PIECE = 1_000;

/**
 * Requests to every operation of the API that are nearly right, quite wrong, or no JSON: a refusal has a reason, nothing
 * is an error of ours, nothing hangs, and the daemon is as well afterwards as before.
 * @returns whether all that was so
 */
export async function fuzz(count: number, seed = 1): Promise<boolean> {
  const daemons = new Daemons();
  try {
    const limits = { guests: 4, guestMemory: '64MiB' };
    const daemon = await daemons.start('strict', { guests: [stream], limits });
    const { body: document } = await ask(daemon, 'GET', '/openapi.json');
    const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    const before = descriptors();
    const statuses = new Map<number, number>();
    const complaints: string[] = [];
    let slowest = { ms: 0, request: '' };
    const sinceMs = performance.now();
    for (let sent = 0; sent < count; sent += PIECE) {
      const numRuns = Math.min(PIECE, count - sent);
      const told = await storm(
        daemon.address,
        fc.sample(badRequests(document), { numRuns, seed: seed + sent }),
      );
      for (const [status, times] of told.statuses) statuses.set(status, (statuses.get(status) ?? 0) + times);
      complaints.push(...told.complaints);
      if (told.slowest.ms > slowest.ms) slowest = told.slowest;
    }
    const tookS = (performance.now() - sinceMs) / 1e3;
    const all = [...statuses].sort(([one], [other]) => one - other);
    console.log(
      `fuzz: ${count} requests (seed ${seed}) in ${tookS.toFixed(0)} s: ${all.map(([status, times]) => `${times} × ${status}`).join(', ')}; ${complaints.length} complaints\n  slowest: ${slowest.ms.toFixed(0)} ms for ${slowest.request}`,
    );
    for (const complaint of complaints.slice(0, 20)) console.log(`  ${complaint}`);
    return complaints.length === 0 && (await isWell());

    /** What was asked for in earnest is cancelled, and then everything is as in the beginning. */
    async function isWell(): Promise<boolean> {
      const { body: experiments } = await ask(daemon, 'GET', '/api/experiments');
      for (const { id } of experiments) await ask(daemon, 'DELETE', `/api/experiments/${id}`);
      const { body: guests } = await ask(daemon, 'GET', '/api/guests');
      for (const { name } of guests) await ask(daemon, 'DELETE', `/api/guests/${name}`);
      const scenario = {
        guest: { pages: 50, program: { kind: 'zipf', writesPerSecond: 10 } },
        link: { rate: '1Gbit/s' },
      };
      const { body } = await ask(daemon, 'POST', '/api/experiments', { scenario });
      const { body: view } = await eventually(
        () => ask(daemon, 'GET', `/api/experiments/${body.id}`),
        ({ body: { endedAt } }) => endedAt !== null,
      );
      await sleep(1_000);
      const metrics = (await ask(daemon, 'GET', '/metrics')).body as string;
      const watchers = reading(metrics, 'switchover_event_watchers');
      const ours = daemon.log.split('\n').filter((line) => line.includes('an error of ours'));
      console.log(
        `  afterwards: an experiment is ${view.state}; ${watchers} watchers; ${descriptors()} descriptors (before: ${before}); ${ours.length} errors of ours in the log`,
      );
      return (
        view.state === 'completed' && watchers === 0 && ours.length === 0 && descriptors() <= before + 10
      );
    }
  } finally {
    await daemons.end();
  }
}
