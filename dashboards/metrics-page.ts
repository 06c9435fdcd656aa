import { type Metric, metricTable } from '../src/daemon/metric-table.ts';

/** docs/metrics.md, from the table. */
export function metricsPage(): string {
  const rows = Object.values(metricTable).map(
    ({ name, kind, labels, help }: Metric) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  const buckets = new Map<string, string[]>();
  for (const { name, buckets: of } of Object.values(metricTable) as Metric[]) {
    if (of.length > 0) buckets.set(of.join(', '), [...(buckets.get(of.join(', ')) ?? []), `\`${name}\``]);
  }
  return `# Metrics

Written by \`npm run build:dashboards\` from \`src/daemon/metric-table.ts\`; a test compares the two.

\`/metrics\` has the metrics below. \`/metrics/node\` has those of the Node.js process, whose names follow Node's convention and
not this project's. Every label has few values; names of guests and free text are never labels.

| name | kind | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

Buckets:

${[...buckets].map(([of, names]) => `- ${names.join(', ')}: ${of}`).join('\n')}
`;
}
