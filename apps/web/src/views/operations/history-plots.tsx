import { useMemo } from 'preact/hooks';
import type { OperationsFigures } from '@openclaw/protocol';
import { sinceText } from '../shared/format-time.ts';
import type { Minute } from './checks.ts';
import { countText, millisecondsText } from './format-figures.ts';
import { historyMs, peaksOf, type PlotPoint } from './history.ts';

const width = 240;
const height = 44;
const minuteMs = 60_000;

interface Plot {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly valueOf: (hubs: readonly OperationsFigures[]) => number | null;
}

const rate =
  (name: 'messages' | 'deliveries' | 'failedCalls' | 'refusedCalls' | 'tailRepairs') =>
  (hubs: readonly OperationsFigures[]) =>
    hubs.reduce((sum, { [name]: count, ms }) => sum + (ms > 0 ? (count * 1000) / ms : 0), 0);
const total = (name: 'sockets' | 'redisReconnects') => (hubs: readonly OperationsFigures[]) =>
  hubs.reduce((sum, figures) => sum + figures[name], 0);
const worst =
  (name: 'ackP99Ms' | 'deliveryP99Ms' | 'queueLength') => (hubs: readonly OperationsFigures[]) => {
    const values = hubs.flatMap((figures) => figures[name] ?? []);
    return values.length === 0 ? null : Math.max(...values);
  };

const plots: readonly Plot[] = [
  { title: 'Messages/s', format: countText, valueOf: rate('messages') },
  { title: 'Deliveries/s', format: countText, valueOf: rate('deliveries') },
  { title: 'Ack p99', format: millisecondsText, valueOf: worst('ackP99Ms') },
  { title: 'Delivery p99', format: millisecondsText, valueOf: worst('deliveryP99Ms') },
  { title: 'Sockets', format: countText, valueOf: total('sockets') },
  { title: 'Waiting writes', format: countText, valueOf: worst('queueLength') },
  { title: 'Failed calls/s', format: countText, valueOf: rate('failedCalls') },
  { title: 'Calls over a limit/s', format: countText, valueOf: rate('refusedCalls') },
  { title: 'Repairs/s', format: countText, valueOf: rate('tailRepairs') },
  { title: 'Redis reconnects', format: countText, valueOf: total('redisReconnects') },
];

export function HistoryPlots(props: { minutes: readonly Minute[] | null; nowMs: number }) {
  const { minutes } = props;
  // The plots change once a minute, although the page renders every second.
  const nowMs = Math.ceil(props.nowMs / minuteMs) * minuteMs;
  const drawn = useMemo(
    () =>
      plots.map((plot) => (
        <SmallPlot key={plot.title} plot={plot} minutes={minutes ?? []} nowMs={nowMs} />
      )),
    [minutes, nowMs],
  );
  return (
    <section class="history">
      <h2 class="line">Last 24 hours, all hubs</h2>
      {minutes === null || minutes.length === 0 ? (
        <p class="quiet">
          {minutes === null ? 'Loading…' : 'The first minute is shown when it is over.'}
        </p>
      ) : (
        <div class="history-plots">{drawn}</div>
      )}
    </section>
  );
}

function SmallPlot(props: { plot: Plot; minutes: readonly Minute[]; nowMs: number }) {
  const { plot, minutes, nowMs } = props;
  const points = minutes.map<PlotPoint>(({ atMs, hubs }) => ({
    atMs,
    value: plot.valueOf(hubs.map(({ figures }) => figures)),
  }));
  const peaks = peaksOf(points, nowMs - historyMs, nowMs, width);
  const highest = points.reduce<PlotPoint | null>(
    (best, point) => ((point.value ?? -1) > (best?.value ?? -1) ? point : best),
    null,
  );
  const scale = Math.max(highest?.value ?? 0, 1e-9);
  const bars = peaks
    .map((value, x) =>
      value === null
        ? ''
        : `M${x + 0.5} ${height}V${(height - 1 - (value / scale) * (height - 2)).toFixed(1)}`,
    )
    .join('');
  const text =
    highest?.value == null
      ? 'no value'
      : `max ${plot.format(highest.value)}${highest.value > 0 ? ` · ${sinceText(highest.atMs, nowMs)}` : ''}`;
  return (
    <figure class="small-plot">
      <figcaption>
        <b>{plot.title}</b> <span class="quiet small">{text}</span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={bars} />
      </svg>
    </figure>
  );
}
