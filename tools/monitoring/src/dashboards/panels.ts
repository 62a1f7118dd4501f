import {
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export type Panel = StatBuilder | GraphBuilder;
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A record holds several queries by legend. `{{label}}` in a legend is a label's value. */
export type Queries = string | Readonly<Record<string, string>>;

interface Look {
  readonly unit?: string;
  /** Series beyond the target are red. */
  readonly target?: number;
  readonly description?: string;
}

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 24;
const graphsPerRow = 3;
const statsPerRow = 6;

function queriesOf(queries: Queries): DataqueryBuilder[] {
  const named = typeof queries === 'string' ? { '': queries } : queries;
  return Object.entries(named).map(([legend, expr], at) => {
    const query = new DataqueryBuilder().expr(expr).refId(String.fromCharCode(65 + at));
    return legend === '' ? query : query.legendFormat(legend);
  });
}

function style<T extends Panel>(
  panel: T,
  title: string,
  queries: Queries,
  { unit = 'short', target, description }: Look,
): T {
  panel.title(title).datasource(datasource).unit(unit);
  for (const query of queriesOf(queries)) panel.withTarget(query);
  if (description !== undefined) panel.description(description);
  const steps = [{ value: null, color: 'green' }];
  panel.thresholds(
    new ThresholdsConfigBuilder()
      .mode(ThresholdsMode.Absolute)
      .steps(target === undefined ? steps : [...steps, { value: target, color: 'red' }]),
  );
  return panel;
}

export function graph(title: string, queries: Queries, look: Look = {}): Panel {
  return style(new GraphBuilder(), title, queries, look)
    .height(8)
    .span(columns / graphsPerRow)
    .min(0)
    .fillOpacity(10)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    );
}

export function stat(title: string, query: string, look: Look = {}): Panel {
  return style(new StatBuilder(), title, query, look)
    .height(4)
    .span(columns / statsPerRow)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(BigValueGraphMode.Area);
}

export function quantile(q: number, histogram: string, labels = '', matchers = ''): string {
  const by = labels === '' ? 'le' : `le, ${labels}`;
  return `histogram_quantile(${q}, sum by (${by}) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`;
}

export function rate(counter: string, labels = '', matchers = ''): string {
  const by = labels === '' ? '' : ` by (${labels})`;
  return `sum${by} (rate(${counter}{${matchers}}[$__rate_interval]))`;
}

/** `instances` names the metric from which the viewer chooses an `$instance`. */
export function dashboard(
  uid: string,
  title: string,
  description: string,
  rows: readonly Row[],
  instances?: string,
): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(`openclaw-${uid}`)
    .description(description)
    .tags(['openclaw'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    );
  if (instances !== undefined)
    builder.withVariable(
      new QueryVariableBuilder('instance')
        .label('Instance')
        .datasource(datasource)
        .query(`label_values(${instances}, instance)`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id((id += 1)));
    for (const panel of row.panels) builder.withPanel(panel.id((id += 1)));
  }
  return builder.build();
}
