import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Demo } from '../examples/demo.ts';
import { MovingMachine } from '../test/fixtures/moving-machine.ts';
import { dashboardNames, Prometheus } from './check.ts';
import { type DrawnDashboard, drawn } from './drawing.ts';

/** `npm run draw:dashboards -- FOLDER [SECONDS]`: pages that show what the dashboards say of the demonstration after so long. */
const [folder = 'drawn-dashboards', seconds = '150'] = process.argv.slice(2);

const machine = new MovingMachine();
const demo = await Demo.start([0, 0], { watch: machine.watch });
const prometheus = await Prometheus.start(demo.addresses);
try {
  demo.drive((line) => console.log(line));
  await sleep(Number(seconds) * 1e3);
  mkdirSync(folder, { recursive: true });
  for (const name of dashboardNames) {
    const dashboard = JSON.parse(readFileSync(`dashboards/${name}.json`, 'utf8')) as DrawnDashboard;
    const file = join(folder, `${name}.html`);
    writeFileSync(file, await drawn(prometheus, dashboard));
    console.log(file);
  }
} finally {
  await prometheus.end();
  await demo.end();
  await machine.end();
}
