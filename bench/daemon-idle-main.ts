import { createServer } from 'node:http';
import { Metrics } from '../src/daemon/metrics.ts';
import { NodeMetrics } from '../src/daemon/node-metrics.ts';

/** A process that does nothing but answer scrapes: what of a delay is the machine's, and not the daemon's. */
const cpu = { processors: 0, reservablePerProcessor: 0, reserved: { guest: 0, migration: 0, experiment: 0 } };
const nothing = {
  queues: [],
  links: [],
  cpu,
  guests: [],
  watched: [],
  watchers: 0,
  degraded: null,
  downtimeTargetNs: 0,
};
const metrics = new Metrics('idle', async () => nothing);
const nodeMetrics = new NodeMetrics();
const server = createServer(async ({ url }, answer) => {
  answer.setHeader('content-type', metrics.contentType);
  answer.end(await (url === '/metrics' ? metrics.scrape() : nodeMetrics.scrape()));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on 127.0.0.1:${port}`);
});
