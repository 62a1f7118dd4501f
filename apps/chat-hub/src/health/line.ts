/** `unknown` means that the check was not possible, because something else failed. */
export type State = 'ok' | 'degraded' | 'down' | 'unknown';

export interface Line {
  readonly name: string;
  readonly state: State;
  readonly seen: string;
  readonly advice: string | null;
}

export interface Section {
  readonly title: string;
  /** The subject is, for example, an address without its password. */
  readonly subject: string;
  readonly lines: readonly Line[];
}

export function line(name: string, state: State, seen: string, advice: string | null = null): Line {
  return { name, state, seen, advice: state === 'ok' ? null : advice };
}

const order: readonly State[] = ['ok', 'degraded', 'down'];

export function worst(lines: readonly Line[]): Exclude<State, 'unknown'> {
  const at = Math.max(0, ...lines.map(({ state }) => order.indexOf(state)));
  return order[at] as Exclude<State, 'unknown'>;
}

/** Resolves with null after `timeoutMs`. The work itself is not cancelled. */
export function orNull<T>(work: Promise<T>, timeoutMs: number): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  for (; scaled >= 1024 && unit < units.length - 1; unit += 1) scaled /= 1024;
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}

export function age(valueMs: number): string {
  const seconds = Math.max(0, Math.round(valueMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} days`;
}

export const count = (value: number) => value.toLocaleString('en-US');
