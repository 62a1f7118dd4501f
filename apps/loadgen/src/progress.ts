import { MultiBar, type SingleBar } from 'cli-progress';
import { formatCount, formatNumber } from './reports/format.ts';
import type { Progress } from './run.ts';

export interface ProgressView {
  show(progress: Progress): void;
  end(): void;
}

const lineEveryMs = 5_000;

/**
 * Writes to standard error, because standard output is for the report. On a terminal, redraws a block; otherwise
 * writes a line for each phase and every five seconds.
 */
export function createProgressView(
  stream: NodeJS.WriteStream,
  nowMs: () => number = Date.now,
): ProgressView {
  return stream.isTTY ? createBlock(stream, nowMs) : createLines(stream, nowMs);
}

type Rates = ReturnType<ReturnType<typeof createRates>>;

function createRates(nowMs: () => number) {
  let before: { readonly atMs: number; readonly live: Progress['live'] } | null = null;
  return ({ live }: Progress) => {
    const atMs = nowMs();
    const elapsedMs = Math.max(1, atMs - (before?.atMs ?? atMs));
    const perSecond = (name: 'sent' | 'acked' | 'deliveries') =>
      before === null ? 0 : Math.max(0, ((live[name] - before.live[name]) * 1000) / elapsedMs);
    const rates = {
      sent: perSecond('sent'),
      acked: perSecond('acked'),
      deliveries: perSecond('deliveries'),
    };
    before = { atMs, live };
    return rates;
  };
}

const latencyText = ({ live }: Progress) =>
  `p99 ms: delivery ${formatNumber(live.deliveryP99Ms)}, ack ${formatNumber(live.ackP99Ms)}, generator’s lateness ${formatNumber(live.latenessP99Ms)}`;
const rateText = ({ live }: Progress, rates: Rates) =>
  `${formatCount(live.connected)} connected, ${formatCount(Math.round(rates.acked))} calls/s, ${formatCount(Math.round(rates.deliveries))} deliveries/s, ${formatCount(live.errors)} errors`;
const phaseText = ({ phase, stage, stages }: Progress) =>
  stages === 1 ? phase : `${phase}, stage ${stage} of ${stages}`;

function createLines(stream: NodeJS.WriteStream, nowMs: () => number): ProgressView {
  const ratesOf = createRates(nowMs);
  let phase = '';
  let lineMs = 0;
  return {
    show(progress) {
      const now = nowMs();
      if (phaseText(progress) !== phase) {
        phase = phaseText(progress);
        stream.write(`${phase}…\n`);
        ratesOf(progress);
        lineMs = now;
      } else if (now - lineMs >= lineEveryMs) {
        lineMs = now;
        const seconds = `${Math.round(progress.elapsedMs / 1000)}/${Math.round(progress.totalMs / 1000)} s`;
        const rates = ratesOf(progress);
        stream.write(`  ${seconds}  ${rateText(progress, rates)}; ${latencyText(progress)}\n`);
      }
    },
    end() {},
  };
}

function createBlock(stream: NodeJS.WriteStream, nowMs: () => number): ProgressView {
  const ratesOf = createRates(nowMs);
  const block = new MultiBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    // The caller handles SIGINT and ends this view.
    gracefulExit: false,
    barsize: 24,
    format: '{text}',
  });
  let bars: { readonly time: SingleBar; readonly texts: readonly SingleBar[] } | null = null;
  return {
    show(progress) {
      bars ??= {
        time: block.create(1, 0, {}, { format: '{bar} {seconds}/{totalSeconds} s  {phase}' }),
        texts: [block.create(1, 0, { text: '' }), block.create(1, 0, { text: '' })],
      };
      const { time, texts } = bars;
      time.setTotal(Math.max(1, progress.totalMs));
      time.update(progress.elapsedMs, {
        phase: phaseText(progress),
        seconds: Math.round(progress.elapsedMs / 1000),
        totalSeconds: Math.round(progress.totalMs / 1000),
      });
      texts[0]?.update(0, { text: rateText(progress, ratesOf(progress)) });
      texts[1]?.update(0, { text: latencyText(progress) });
    },
    end: () => block.stop(),
  };
}
