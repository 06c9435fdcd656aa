import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type * as cog from '@grafana/grafana-foundation-sdk/cog';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** The words in which the dashboards are written. */

const datasource = { type: 'prometheus', uid: '$datasource' };
/** What every query is restricted to. */
export const ours = 'instance=~"$instance"';

/** A query of the daemon's own migrations, where those that it watches have the same metric; and the other way round. */
export const own = `${ours}, monitor=""`;
export const watched = `${ours}, monitor!=""`;

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
  /** What one is led to from a single value; without it: the migration that it tells of. */
  readonly leadsTo?: 'migration' | 'machine';
  /** From where on the value is bad, if there is such a limit. */
  readonly bad?: { readonly above: number } | { readonly below: number };
}

const HEIGHT = 8;

export function series(title: string, look: Look, ...queries: readonly Query[]): timeseries.PanelBuilder {
  const limit = look.bad ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off;
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .unit(look.unit)
    .min(0)
    .fillOpacity(8)
    .lineWidth(2)
    .thresholds(thresholdsOf(look))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(limit))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .noValue('none in this time')
    .span(look.width ?? 12)
    .height(HEIGHT);
  return withTargets(panel, queries);
}

/** Single values, as of migrations that are too few for a quantile. */
export function points(title: string, look: Look, ...queries: readonly Query[]): timeseries.PanelBuilder {
  return series(title, look, ...queries)
    .drawStyle(GraphDrawStyle.Points)
    .pointSize(7)
    .dataLinks([toThePage()]);
}

export function figure(title: string, look: Look, query: Query): stat.PanelBuilder {
  const panel = new stat.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .unit(look.unit)
    .thresholds(thresholdsOf(look))
    .colorMode(look.bad ? BigValueColorMode.Value : BigValueColorMode.None)
    .dataLinks([look.leadsTo === 'machine' ? toTheMachine() : toThePage()])
    .noValue('–')
    .span(look.width ?? 4)
    .height(5);
  return withTargets(panel, [query]);
}

/** How many there are of each kind now, as bars with their numbers. */
export function counts(title: string, look: Look, query: Query): bargauge.PanelBuilder {
  const panel = new bargauge.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .unit(look.unit)
    .decimals(0)
    .min(0)
    .thresholds(thresholdsOf(look))
    .orientation(VizOrientation.Horizontal)
    .noValue('0')
    .span(look.width ?? 12)
    .height(HEIGHT);
  return panel.withTarget(target(query, 0).instant());
}

/** How often which downtime occurred, over time. */
export function heat(title: string, look: Look, query: Query): heatmap.PanelBuilder {
  return new heatmap.PanelBuilder()
    .title(title)
    .description(look.says)
    .datasource(datasource)
    .calculate(false)
    .thresholds(thresholdsOf(look))
    .yAxis(new heatmap.YAxisConfigBuilder().unit(look.unit))
    .span(look.width ?? 12)
    .height(HEIGHT)
    .withTarget(target(query, 0).format(PromQueryFormat.Heatmap));
}

/** Grafana's own default is red above 80 of anything: a panel without a limit says that it has none. */
function thresholdsOf({ bad }: Look): ThresholdsConfigBuilder {
  const steps: Threshold[] = !bad
    ? [{ value: null, color: 'text' }]
    : 'above' in bad
      ? [
          { value: null, color: 'green' },
          { value: bad.above, color: 'red' },
        ]
      : [
          { value: null, color: 'red' },
          { value: bad.below, color: 'green' },
        ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

/** The page of the migration that a point tells of: the daemon's last one before it. Of a series that names its instance. */
function toThePage(): DashboardLinkBuilder {
  return (
    new DashboardLinkBuilder('This migration, on the page of its daemon')
      .type(DashboardLinkType.Link)
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables.
      .url('http://${__field.labels.instance}/#/migrations/at/${__value.time}')
      .targetBlank(true)
  );
}

/** The page of a watched machine. Of a series that names its instance. */
function toTheMachine(): DashboardLinkBuilder {
  return (
    new DashboardLinkBuilder('This machine, on the page of its daemon')
      .type(DashboardLinkType.Link)
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables.
      .url('http://${__field.labels.instance}/#/watched/${__field.labels.monitor}')
      .targetBlank(true)
  );
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

/** A median of fewer than six has no interval, and a 95 % quantile of fewer than twenty is the largest value. */
const FEWEST: ReadonlyMap<number, number> = new Map([
  [0.5, 6],
  [0.95, 20],
]);

/**
 * A quantile of a histogram over all of the time that is shown, because migrations are rare; nothing where there were too few.
 * @param q 0.5 or 0.95
 */
export function quantile(q: number, histogram: string, by = '', where = ''): string {
  const labels = [ours, where].filter((text) => text !== '').join(', ');
  const kept = ['le', by].filter((text) => text !== '').join(', ');
  const enough = `sum by (${by}) (increase(${histogram}_count{${labels}}[$__range])) >= ${FEWEST.get(q)}`;
  return `histogram_quantile(${q}, sum by (${kept}) (increase(${histogram}_bucket{${labels}}[$__range]))) and ${enough}`;
}

export function rate(counter: string, by: string, where = ''): string {
  const labels = [ours, where].filter((text) => text !== '').join(', ');
  return `sum by (${by}) (rate(${counter}{${labels}}[$__rate_interval]))`;
}
