import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { committedQueries, Prometheus, substituted } from '../dashboards/check.ts';
import { Demo, experiment, type ServedDaemon } from '../examples/demo.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { quantile } from '../src/lab/statistics/estimate.ts';
import { badRequests } from '../test/fixtures/bad-requests.ts';
import { ask, Daemons, stream } from '../test/fixtures/daemons.ts';

const small = {
  guest: { name: 'small', pages: 500, program: { kind: 'zipf', writesPerSecond: 300 } },
  link: { rate: '200Mbit/s' },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
};

/** 200 experiments in virtual time and 20 on threads through the API, while somebody scrapes every second. */
export async function load(): Promise<void> {
  const daemons = new Daemons();
  try {
    const daemon = await daemons.start('loaded', { limits: { runningExperiments: 2 } });
    const scrapes: number[] = [];
    let failed = 0;
    let done = false;
    const scraping = (async () => {
      while (!done) {
        const since = performance.now();
        const ok = await ask(daemon, 'GET', '/metrics').then(
          ({ status }) => status === 200,
          () => false,
        );
        if (ok) scrapes.push(performance.now() - since);
        else failed += 1;
        await sleep(Math.max(0, 1_000 - (performance.now() - since)));
      }
    })();
    const since = performance.now();
    for (let index = 0; index < 220; index++) {
      const world = index % 11 === 10 ? 'threads' : 'virtual';
      await ask(daemon, 'POST', '/api/experiments', { world, scenario: { ...small, seed: index + 1 } });
    }
    let views: { state: string; world: string }[] = [];
    do {
      await sleep(500);
      views = (await ask(daemon, 'GET', '/api/experiments')).body;
    } while (views.some(({ state }) => state === 'waiting' || state === 'running'));
    done = true;
    await scraping;
    const metrics = (await ask(daemon, 'GET', '/metrics')).body as string;
    const counts = [
      ...metrics.matchAll(/^switchover_migrations_total\{world="(\w+)".*outcome="(\w+)"\} (\d+)$/gm),
    ];
    const delays = await delayOf(daemon);
    console.log(`load: ${counts.map(([, world, outcome, count]) => `${count} ${outcome} in ${world}`).join(', ')}
  in ${((performance.now() - since) / 1e3).toFixed(0)} s; ${scrapes.length} scrapes, ${failed} failed, p50 ${quantile(scrapes, 0.5).toFixed(1)} ms, p99 ${quantile(scrapes, 0.99).toFixed(1)} ms
  event-loop delay of the daemon since its start: p99 ${delays.toFixed(1)} ms`);
  } finally {
    await daemons.end();
  }
}

/** The event-loop delay while a guest leaves, sends for some seconds, and competes with hogs. */
export async function loopDelay(): Promise<void> {
  const daemons = new Daemons();
  try {
    const { alpha } = await daemons.pair();
    const delays: number[] = [];
    const { body } = await ask(alpha, 'POST', '/api/migrations', {
      guest: stream.name,
      to: 'beta',
      link: { rate: '10Mbit/s' },
      migration: { order: 'threshold', observe: '1s', stop: { rule: 'rounds', rounds: 2 } },
    });
    for (;;) {
      await sleep(1_000);
      delays.push(await delayOf(alpha));
      if ((await ask(alpha, 'GET', `/api/migrations/${body.id}`)).body.endedAt !== null) break;
    }
    console.log(
      `event-loop delay while a guest migrates, p99 of each of ${delays.length} s: median ${quantile(delays, 0.5).toFixed(1)} ms, worst ${Math.max(...delays).toFixed(1)} ms`,
    );
  } finally {
    await daemons.end();
  }
}

/** The p99 that Node's own histogram has seen since it was last asked. */
async function delayOf(daemon: ServedDaemon): Promise<number> {
  const { body } = await ask(daemon, 'GET', '/metrics/node');
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(body)?.[1]) * 1e3;
}

/** What the dashboard of guarantees shows of the last so many seconds. */
async function answers(prometheus: Prometheus, seconds: number): Promise<void> {
  const asked = committedQueries().filter(({ dashboard }) => dashboard.endsWith('Guarantees and downtime'));
  for (const { panel, expr } of asked) {
    const values = await prometheus.values(substituted(expr).replaceAll('[5m]', `[${Math.ceil(seconds)}s]`));
    console.log(`  ${panel}`);
    for (const { labels, value } of values)
      console.log(`    ${JSON.stringify(labels)} ${value.toPrecision(3)}`);
  }
}

/** A stream server, its sender and hogs on one processor of a daemon, without and with guarantees: so many runs of each. */
export async function question(runs: number): Promise<void> {
  const daemons = new Daemons();
  const daemon = await daemons.start('asked');
  const prometheus = await Prometheus.start([daemon.address]);
  try {
    const since = performance.now();
    const { body } = await ask(daemon, 'POST', '/api/experiments', {
      world: 'threads',
      scenario: { ...experiment, runs },
    });
    const path = `/api/experiments/${body.id}`;
    while ((await ask(daemon, 'GET', path)).body.endedAt === null) await sleep(500);
    await sleep(3_000);
    const lines = ((await ask(daemon, 'GET', `${path}/records`)).body as string).trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as MigrationRecord);
    for (const scheduler of ['fair', 'cbs-hard']) {
      const of = records.filter(({ reservations }) => reservations.scheduler === scheduler);
      const ms = of
        .filter(({ outcome }) => outcome === 'completed')
        .map(({ downtimeNs }) => downtimeNs / 1e6);
      const told = [0.5, 0.95].map((q) => `p${100 * q} ${quantile(ms, q).toFixed(1)} ms`).join(', ');
      console.log(
        `question: ${scheduler}: ${ms.length} of ${of.length} completed, ${told}, most ${Math.max(...ms).toFixed(1)} ms`,
      );
    }
    await answers(prometheus, (performance.now() - since) / 1e3);
  } finally {
    await prometheus.end();
    await daemons.end();
  }
}

/**
 * The demonstration for some time, scraped by a Prometheus: do memory and open descriptors stay as they are, and what
 * does the dashboard of guarantees say in the end?
 */
export async function soak(seconds: number): Promise<void> {
  const demo = await Demo.start();
  const prometheus = await Prometheus.start(demo.addresses);
  try {
    let turns = 0;
    demo.drive(() => {
      turns += 1;
    });
    const look = () => demo.pids.map((pid) => ({ mib: residentMiB(pid), descriptors: descriptorsOf(pid) }));
    const samples: ReturnType<typeof look>[] = [];
    const every = seconds / 20;
    for (let passed = 0; passed < seconds; passed += every) {
      await sleep(every * 1e3);
      samples.push(look());
    }
    console.log(
      `soak: ${seconds} s, ${turns} migrations of the guest; per daemon: resident memory in MiB, descriptors`,
    );
    for (const [index, name] of ['alpha', 'beta'].entries()) {
      const of = (key: 'mib' | 'descriptors') => samples.map((sample) => sample[index]![key]).join(' ');
      console.log(`  ${name}: ${of('mib')}\n  ${' '.repeat(name.length)}  ${of('descriptors')}`);
    }
    await answers(prometheus, seconds);
  } finally {
    await prometheus.end();
    await demo.end();
  }
}

/** Ten thousand requests that are nearly right, quite wrong, or no JSON. */
export async function wrongRequests(count: number): Promise<void> {
  const daemons = new Daemons();
  try {
    const daemon = await daemons.start('strict', { guests: [stream] });
    const { body: document } = await ask(daemon, 'GET', '/openapi.json');
    const statuses = new Map<number, number>();
    let slowest = 0;
    await fc.assert(
      fc.asyncProperty(badRequests(document), async ({ method, path, headers, body }) => {
        const since = performance.now();
        const answer = await fetch(`http://${daemon.address}${path}`, {
          method,
          headers,
          signal: AbortSignal.timeout(10_000),
          ...(body !== undefined && { body }),
        });
        const text = await answer.text();
        slowest = Math.max(slowest, performance.now() - since);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status >= 500) throw new Error(`${answer.status} to ${method} ${path} ${body}: ${text}`);
        if (answer.status >= 400 && !JSON.parse(text).error) throw new Error(`no reason: ${method} ${path}`);
      }),
      { numRuns: count, endOnFailure: true },
    );
    const told = [...statuses]
      .sort(([one], [other]) => one - other)
      .map(([status, times]) => `${times} × ${status}`);
    console.log(`wrong requests: ${count}; ${told.join(', ')}; slowest ${slowest.toFixed(0)} ms`);
  } finally {
    await daemons.end();
  }
}

function residentMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
