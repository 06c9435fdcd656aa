import { Demo } from './demo.ts';

/** `npm run demo`: something for the page, and for the dashboards, to show. Until Ctrl-C. Other ports: `npm run demo -- 0 0`. */
const [alpha = 7070, beta = 7071] = process.argv.slice(2).map(Number);
const demo = await Demo.start([alpha, beta]);
console.log(`alpha: http://${demo.addresses[0]}/   beta: http://${demo.addresses[1]}/   (Ctrl-C ends both)`);
console.log('for Prometheus: dashboards/prometheus.yaml; for Grafana: dashboards/*.json\n');
demo.drive((line) => console.log(line));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void demo.end());
// Nobody listens any more: whoever has started this is gone.
process.stdout.on('error', () => void demo.end());
