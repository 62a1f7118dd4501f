import type { LatencyName } from '../measure/latencies.ts';

export const latencyTitles: Readonly<Record<LatencyName, string>> = {
  delivery: 'message delivery',
  ack: 'message ack',
  reply: 'thread reply',
  reaction: 'reaction',
  typing: 'typing',
  presence: 'presence',
  direct: 'direct message',
  history: 'history page',
  rejoin: 'leave and join',
  reconnect: 'reconnect',
  lateness: 'generator’s lateness',
};

export function formatNumber(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

export function formatPercent(share: number): string {
  return `${formatNumber(share * 100)}%`;
}

/** The text is, for example, `timeout 3, rate_limited 12`. */
export function formatCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ');
}
