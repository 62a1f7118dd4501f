import { SingleBar } from 'cli-progress';
import type { Progress } from './run.ts';

/** Shows progress: a bar on a terminal, otherwise a line for each phase. */
export interface ProgressView {
  show(progress: Progress): void;
  end(): void;
}

/** Writes to standard error, so that only the report is on standard output. */
export function createProgressView(stream: NodeJS.WriteStream): ProgressView {
  let phase = '';
  if (!stream.isTTY) {
    return {
      show(progress) {
        if (progress.phase === phase) return;
        phase = progress.phase;
        stream.write(`${phase}…\n`);
      },
      end() {},
    };
  }
  const format =
    '{bar} {seconds}/{totalSeconds} s  {phase}  {sent} sent  {acked} acked  {deliveries} delivered';
  const bar = new SingleBar({
    format,
    stream,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  return {
    show({ elapsedMs, totalMs, ...progress }) {
      const payload = {
        ...progress,
        seconds: Math.round(elapsedMs / 1000),
        totalSeconds: Math.round(totalMs / 1000),
      };
      if (phase === '') bar.start(totalMs, 0, payload);
      phase = progress.phase;
      bar.update(elapsedMs, payload);
    },
    end: () => bar.stop(),
  };
}
