import { type Metric, metricTable } from '../src/daemon/metric-table.ts';
import { watchMetricTable } from '../src/daemon/watch-metric-table.ts';

/** docs/metrics.md, from the tables. */
export function metricsPage(): string {
  return `# Metrics

Written by \`npm run build:dashboards\` from \`src/daemon/metric-table.ts\` and \`watch-metric-table.ts\`; a test compares them.

\`/metrics\` has the metrics below. \`/metrics/node\` has those of the Node.js process, whose names follow Node's convention and
not this project's. Every label has few values; names of guests and free text are never labels.

${metricsOf(metricTable)}

## Of migrations that are watched

A daemon that [watches machines of others](daemon.md#watching-migrations-of-others) has these besides, and \`switchover watch
--listen\` has them instead: of migrations that QEMU carries out by itself and somebody else has started. What means the same has
the same name. \`world\` is always \`qemu-native\`. \`monitor\` is the name in the daemon's configuration, or a socket of the command line;
the daemon's own migrations have none. \`migrations_running\` counts a daemon's own.

${metricsOf(watchMetricTable)}
`;
}

function metricsOf(table: Readonly<Record<string, Metric>>): string {
  const rows = Object.values(table).map(
    ({ name, kind, labels, help }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  const buckets = new Map<string, string[]>();
  for (const { name, buckets: of } of Object.values(table)) {
    if (of.length > 0) buckets.set(of.join(', '), [...(buckets.get(of.join(', ')) ?? []), `\`${name}\``]);
  }
  return `| name | kind | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

Buckets:

${[...buckets].map(([of, names]) => `- ${names.join(', ')}: ${of}`).join('\n')}`;
}
