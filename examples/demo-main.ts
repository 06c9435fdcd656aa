import { Demo } from './demo.ts';

/** `npm run demo`: something for the page, and for the dashboards, to show. Until Ctrl-C. */
const demo = await Demo.start([7070, 7071]);
console.log(`alpha: http://${demo.addresses[0]}/   beta: http://${demo.addresses[1]}/   (Ctrl-C ends both)`);
console.log('for Prometheus: dashboards/prometheus.yaml; for Grafana: dashboards/*.json\n');
demo.drive((line) => console.log(line));
process.once('SIGINT', () => void demo.end());
process.once('SIGTERM', () => void demo.end());
