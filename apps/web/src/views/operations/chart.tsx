import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { timeWithSecondsText } from '../shared/format-time.ts';

export interface ChartLine {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

const height = 190;
const shortestSeconds = 60;
const longestSeconds = 300;
/** A step of 2.5 is left out, because its labels would need one more digit than the figures have. */
const tickSteps = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** (power - 1)),
).flat();

export function Chart(props: {
  title: string;
  atSeconds: readonly number[];
  lines: readonly ChartLine[];
  format: (value: number) => string;
}) {
  const { title, lines, format } = props;
  const container = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const data = [
    [...props.atSeconds],
    ...lines.map((line) => [...line.values]),
  ] as unknown as UPlot.AlignedData;

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    // A canvas needs a plain colour, so `light-dark()` in the property is resolved here.
    const colour = (name: string) => () => {
      element.style.color = `var(${name})`;
      return getComputedStyle(element).color;
    };
    const axis = { stroke: colour('--text-quiet'), grid: { stroke: colour('--line'), width: 1 } };
    const font = '12px system-ui, sans-serif';
    const ticks = { show: false };
    const chart = new UPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { y: false },
        legend: { show: false },
        scales: {
          x: { range: (_plot, min, max) => [max - spanOf(max - min), max] },
          y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] },
        },
        axes: [
          {
            ...axis,
            font,
            ticks,
            grid: { show: false },
            space: 80,
            size: 30,
            values: (_plot, values) => values.map((seconds) => timeWithSecondsText(seconds * 1000)),
          },
          {
            ...axis,
            font,
            ticks,
            size: 58,
            incrs: tickSteps,
            values: (_plot, values) => values.map(format),
          },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.name,
            stroke: colour(line.colour),
            width: 2,
            points: { show: false },
          })),
        ],
      },
      data,
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      chart.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data));

  const newest = (values: readonly (number | null)[]) => {
    const value = values.findLast((other) => other !== null);
    return value == null ? '–' : format(value);
  };
  return (
    <figure class="chart">
      <figcaption class="line">
        <h2>{title}</h2>
        <span class="legend quiet small">
          {lines.map((line) => (
            <span key={line.name}>
              <i class="swatch" style={{ background: `var(${line.colour})` }} aria-hidden="true" />
              {line.name} <b>{newest(line.values)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={container} class="plot" aria-hidden="true" />
    </figure>
  );
}

const spanOf = (seconds: number) => Math.min(longestSeconds, Math.max(shortestSeconds, seconds));
