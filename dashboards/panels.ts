import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** The words in which the dashboards are written. */

const datasource = { type: 'prometheus', uid: '$datasource' };
/** What every query is restricted to. */
export const ours = 'instance=~"$instance"';

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Look {
  /** What one reads off it; shown as the panel's description. */
  readonly says: string;
  readonly unit: string;
  /** Of 24 columns. */
  readonly width?: number;
}

export function series(title: string, look: Look, ...queries: readonly Query[]): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .unit(look.unit)
    .min(0)
    .fillOpacity(8)
    .lineWidth(2)
    .span(look.width ?? 12)
    .height(8);
  return withTargets(panel, queries);
}

export function figure(title: string, look: Look, query: Query): stat.PanelBuilder {
  const panel = new stat.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .unit(look.unit)
    .span(look.width ?? 4)
    .height(5);
  return withTargets(panel, [query]);
}

/** How often which downtime occurred, over time. */
export function heat(title: string, look: Look, query: Query): heatmap.PanelBuilder {
  return new heatmap.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .calculate(false)
    .yAxis(new heatmap.YAxisConfigBuilder().unit(look.unit))
    .span(look.width ?? 12)
    .height(8)
    .withTarget(target(query, 0).format(PromQueryFormat.Heatmap));
}

export interface Row {
  readonly title: string;
  readonly panels: readonly cog.Builder<import('@grafana/grafana-foundation-sdk/dashboard').Panel>[];
}

export function dashboard(uid: string, title: string, describes: string, rows: readonly Row[]) {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(describes)
    .tags(['switchover', 'generated'])
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Instance')
        .datasource(datasource)
        .query('label_values(switchover_build_info, instance)')
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  for (const { title: heading, panels } of rows) {
    builder.withRow(new RowBuilder(heading));
    for (const panel of panels) builder.withPanel(panel);
  }
  return { ...builder.build(), id: null };
}

function withTargets<P extends { withTarget(target: cog.Builder<Dataquery>): P }>(
  panel: P,
  queries: readonly Query[],
): P {
  return queries.reduce((panel, query, index) => panel.withTarget(target(query, index)), panel);
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .expr(expr)
    .legendFormat(legend)
    .range();
}

/** A quantile of a histogram over the interval that fits the scrapes. */
export function quantile(q: number, histogram: string, by = '', where = ''): string {
  const labels = [ours, where].filter((text) => text !== '').join(', ');
  const kept = ['le', by].filter((text) => text !== '').join(', ');
  return `histogram_quantile(${q}, sum by (${kept}) (rate(${histogram}_bucket{${labels}}[$__rate_interval])))`;
}

export function rate(counter: string, by: string, where = ''): string {
  const labels = [ours, where].filter((text) => text !== '').join(', ');
  return `sum by (${by}) (rate(${counter}{${labels}}[$__rate_interval]))`;
}
