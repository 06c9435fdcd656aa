import { Demo } from '../examples/demo.ts';
import { MovingMachine } from '../test/fixtures/moving-machine.ts';
import { committedQueries, Prometheus, withoutData } from './check.ts';
import { alertSeries } from './rule-series.ts';

/**
 * `npm run check:dashboards`: do all panels show something of a real daemon, scraped by a real Prometheus, and is every series
 * there that an alert looks at?
 */
const PATIENCE_MS = 90_000;

const machine = new MovingMachine();
const demo = await Demo.start([0, 0], { watch: machine.watch });
const prometheus = await Prometheus.start(demo.addresses);
try {
  demo.drive((line) => console.log(line));
  const queries = [...committedQueries(), ...alertSeries()];
  const missing = await withoutData(prometheus, queries, PATIENCE_MS);
  for (const { dashboard, panel, expr, why } of missing)
    console.log(`${dashboard} / ${panel}: ${why}\n  ${expr}`);
  console.log(`${queries.length - missing.length} of ${queries.length} queries return data`);
  process.exitCode = missing.length === 0 ? 0 : 1;
} finally {
  await prometheus.end();
  await demo.end();
  await machine.end();
}
