import { setTimeout as sleep } from 'node:timers/promises';
import { ask, Daemons, stream } from '../test/fixtures/daemons.ts';
import { Scraper } from './daemon-beside.ts';

const small = {
  guest: { name: 'small', pages: 500, program: { kind: 'zipf', writesPerSecond: 300 } },
  link: { rate: '200Mbit/s' },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
};

/** So many experiments through the API, one in eleven on threads, while somebody scrapes every second. */
export async function load(experiments: number): Promise<void> {
  const daemons = new Daemons();
  const daemon = await daemons.start('loaded', { limits: { runningExperiments: 2 } });
  const scraper = await Scraper.start(daemon.address);
  try {
    const sinceMs = performance.now();
    for (let index = 0; index < experiments; index++) {
      const world = index % 11 === 10 ? 'threads' : 'virtual';
      await ask(daemon, 'POST', '/api/experiments', { world, scenario: { ...small, seed: index + 1 } });
    }
    // The list would be long, and to write it is work of the daemon's that nobody asked for.
    while ((await jobs(await metricsOf())) > 0) await sleep(1_000);
    const tookS = (performance.now() - sinceMs) / 1e3;
    const counts = [
      ...(await metricsOf()).matchAll(
        /^switchover_migrations_total\{world="(\w+)".*outcome="(\w+)"\} (\d+)$/gm,
      ),
    ].map(([, world, outcome, count]) => `${count} ${outcome} in ${world}`);
    console.log(`load: ${counts.join(', ')} in ${tookS.toFixed(0)} s\n${scraper.told()}`);
  } finally {
    await scraper.end();
    await daemons.end();
  }

  async function metricsOf(): Promise<string> {
    return (await ask(daemon, 'GET', '/metrics')).body as string;
  }
}

/** Experiments that wait or run. */
function jobs(metrics: string): number {
  const counts = metrics.matchAll(/^switchover_queue_jobs\{kind="experiment",state="\w+"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A guest that leaves, sends for some ten seconds, and competes with hogs, while somebody scrapes and another watches. */
export async function loopDelay(): Promise<void> {
  const daemons = new Daemons();
  const { alpha } = await daemons.pair();
  const scraper = await Scraper.start(alpha.address);
  const watching = new AbortController();
  try {
    const events = await fetch(`http://${alpha.address}/api/events`, { signal: watching.signal });
    void events.body!.pipeTo(new WritableStream()).catch(() => {});
    const { body } = await ask(alpha, 'POST', '/api/migrations', {
      guest: stream.name,
      to: 'beta',
      link: { rate: '4Mbit/s' },
      migration: { order: 'threshold', observe: '1s', stop: { rule: 'rounds', rounds: 2 } },
      sender: { cpuPerPage: '50us', reservation: { budget: '5ms', period: '10ms' } },
      cpu: { scheduler: 'cbs-hard' },
      background: [{ kind: 'cpu-hog', count: 2 }],
    });
    let view: { state: string; endedAt: string | null };
    do {
      await sleep(500);
      view = (await ask(alpha, 'GET', `/api/migrations/${body.id}`)).body;
    } while (view.endedAt === null);
    console.log(
      `delay: while a guest migrates beside hogs (${view.state}) and its events are watched\n${scraper.told()}`,
    );
  } finally {
    watching.abort();
    await scraper.end();
    await daemons.end();
  }
}
