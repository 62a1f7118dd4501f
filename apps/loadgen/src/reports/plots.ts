import { formatCount, formatNumber } from './format.ts';
import { escapeMarkup } from './markup.ts';

/** A null value leaves a gap. */
export interface PlotLine {
  readonly name: string;
  readonly tone: 'a' | 'b' | 'c';
  readonly values: readonly (number | null)[];
}

export interface TimePlot {
  readonly title: string;
  readonly unit: string;
  readonly seconds: readonly number[];
  readonly lines: readonly PlotLine[];
  readonly limit?: { readonly name: string; readonly value: number };
}

const width = 640;
const height = 220;
const left = 58;
const right = 12;
const top = 14;
const bottom = 30;

/** Rounds up to 1, 2 or 5 times a power of ten, so that the ticks of an axis are easy to read. */
export function niceStep(range: number, ticks: number): number {
  const rough = range / ticks;
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  return factor * power;
}

function ticksTo(max: number, count: number): number[] {
  const step = niceStep(max, count);
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, index) => index * step);
}

const round = (value: number) => Math.round(value * 10) / 10;

/** The highest value of each line is in the text for screen readers. */
export function drawTimePlot({ title, unit, seconds, lines, limit }: TimePlot): string {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const highest = Math.max(0, ...values);
  // A limit far above the values is not shown, because it would flatten the lines.
  const shownLimit = limit !== undefined && limit.value <= highest * 4 ? limit : undefined;
  const highestShown = Math.max(highest, shownLimit?.value ?? 0) || 1;
  const step = niceStep(highestShown, 4);
  const maxY = Math.ceil(highestShown / step) * step;
  const maxX = Math.max(1, ...seconds);
  const x = (second: number) => round(left + (second / maxX) * (width - left - right));
  const y = (value: number) => round(height - bottom - (value / maxY) * (height - top - bottom));

  const grid = ticksTo(maxY, 4).map(
    (tick) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
      `<text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${formatCount(tick)}</text>`,
  );
  const times = ticksTo(maxX, 8).map(
    (tick) =>
      `<text x="${x(tick)}" y="${height - bottom + 18}" text-anchor="middle">${formatCount(tick)} s</text>`,
  );
  const drawn = lines.map(({ name, tone, values: own }) => {
    const path = pathOf(own, seconds, x, y);
    return `<path class="line ${tone}" d="${path}"><title>${escapeMarkup(name)}</title></path>`;
  });
  const limitLine =
    shownLimit === undefined
      ? ''
      : `<line class="limit" x1="${left}" x2="${width - right}" y1="${y(shownLimit.value)}" y2="${y(shownLimit.value)}"/>`;
  const spoken = lines.map((line) => {
    const highestOfLine = Math.max(0, ...line.values.filter((value) => value !== null));
    return `${line.name}: at most ${formatNumber(highestOfLine)} ${unit}`;
  });
  const legend = [
    ...lines.map(({ name, tone }) => `<span class="key ${tone}">${escapeMarkup(name)}</span>`),
    ...(limit === undefined
      ? []
      : [
          `<span class="key limit">${escapeMarkup(limit.name)}${shownLimit === undefined ? ' (above the plot)' : ''}</span>`,
        ]),
  ];
  return [
    `<figure><figcaption>${escapeMarkup(title)} <small>${escapeMarkup(unit)}</small></figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(`${title}. ${spoken.join(', ')}`)}">`,
    ...grid,
    ...times,
    limitLine,
    ...drawn,
    '</svg>',
    `<p class="legend">${legend.join(' ')}</p></figure>`,
  ].join('\n');
}

function pathOf(
  values: readonly (number | null)[],
  seconds: readonly number[],
  x: (second: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let isPen = false;
  values.forEach((value, index) => {
    if (value === null) {
      isPen = false;
      return;
    }
    path += `${isPen ? 'L' : 'M'}${x(seconds[index] ?? 0)} ${y(value)}`;
    // A line needs two points, so a lone point gets a very short line. Its round ends make it a dot.
    if (!isPen) path += 'h0.1';
    isPen = true;
  });
  return path;
}

export interface Distribution {
  readonly name: string;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly limitMs: number | null;
}

const rowHeight = 30;
const nameWidth = 160;
const wideWidth = 1000;

/** Draws, on a logarithmic axis, a bar from p50 to p99 and a thin line up to the maximum. */
export function drawDistributions(rows: readonly Distribution[]): string {
  const all = rows.flatMap(({ p50, max, limitMs }) => [p50, max, limitMs ?? p50]);
  const lowest = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...all))));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(lowest * 10, ...all)));
  const span = Math.log10(highest / lowest);
  const x = (ms: number) =>
    round(
      nameWidth +
        (Math.log10(Math.max(ms, lowest) / lowest) / span) * (wideWidth - nameWidth - right - 40),
    );
  const bodyHeight = rows.length * rowHeight;
  const ticks = Array.from({ length: Math.round(span) + 1 }, (_, power) => lowest * 10 ** power);
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="0" y2="${bodyHeight}"/>` +
      `<text x="${x(tick)}" y="${bodyHeight + 16}" text-anchor="middle">${tick >= 1 ? formatCount(tick) : String(Number(tick.toFixed(2)))} ms</text>`,
  );
  const drawn = rows.map((row, index) => {
    const middle = index * rowHeight + rowHeight / 2;
    const isOver = row.limitMs !== null && row.p99 >= row.limitMs;
    const limit =
      row.limitMs === null
        ? ''
        : `<line class="limit" x1="${x(row.limitMs)}" x2="${x(row.limitMs)}" y1="${middle - 11}" y2="${middle + 11}"/>`;
    const barWidth = Math.max(2, round(x(row.p99) - x(row.p50)));
    return [
      `<text x="${nameWidth - 8}" y="${middle + 4}" text-anchor="end">${escapeMarkup(row.name)}</text>`,
      `<line class="whisker" x1="${x(row.p50)}" x2="${x(row.max)}" y1="${middle}" y2="${middle}"/>`,
      `<rect class="bar${isOver ? ' over' : ''}" x="${x(row.p50)}" y="${middle - 7}" width="${barWidth}" height="14" rx="2"/>`,
      `<line class="tick" x1="${x(row.p90)}" x2="${x(row.p90)}" y1="${middle - 7}" y2="${middle + 7}"/>`,
      limit,
    ].join('');
  });
  return [
    '<figure><figcaption>Latencies <small>bar: p50 to p99, with a mark at p90; thin line: up to the maximum; dashed: limit of p99</small></figcaption>',
    `<svg viewBox="0 0 ${wideWidth} ${bodyHeight + 24}" role="img" aria-label="Latencies by kind, as in the table below">`,
    ...grid,
    ...drawn,
    '</svg></figure>',
  ].join('\n');
}
