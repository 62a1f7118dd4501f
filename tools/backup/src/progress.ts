import { stat } from 'node:fs/promises';

export interface Progress {
  say(line: string): void;
  /** Reports the size of `path` every two seconds until `work` is done. */
  growing<T>(path: string, work: () => Promise<T>): Promise<T>;
}

const everyMs = 2000;

export function createProgress(name: string, write: (line: string) => void): Progress {
  const say = (line: string) => write(`${name}: ${line}\n`);
  return {
    say,
    async growing(path, work) {
      const timer = setInterval(() => {
        stat(path).then(
          ({ size }) => say(`  ${formatBytes(size)} so far`),
          () => undefined,
        );
      }, everyMs);
      try {
        return await work();
      } finally {
        clearInterval(timer);
      }
    },
  };
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
