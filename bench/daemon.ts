import { setTimeout as sleep } from 'node:timers/promises';
import { committedQueries, Prometheus, substituted } from '../dashboards/check.ts';
import { experiment } from '../examples/demo.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { ask, Daemons } from '../test/fixtures/daemons.ts';

/** What the dashboard of guarantees shows of the last so many seconds. */
export async function answers(prometheus: Prometheus, seconds: number): Promise<void> {
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
    const besideHogs = records.filter(({ reservations }) => reservations.hogs > 0);
    for (const scheduler of ['fair', 'cbs-hard']) {
      const of = besideHogs.filter(({ reservations }) => reservations.scheduler === scheduler);
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
