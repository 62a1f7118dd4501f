import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { methods } from '@openclaw/protocol';
import { createMetrics } from './metrics.ts';
import { metricsTable } from './metrics-table.ts';

const rowsOf = (table: string) =>
  table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('\\_', '_')));

describe('the metrics of a hub', () => {
  it('are the table in docs/operations.md', async () => {
    const docs = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
    const [, table = ''] = /<!-- metrics -->([^]*)<!-- \/metrics -->/.exec(docs) ?? [];
    expect(rowsOf(table)).toEqual(rowsOf(await metricsTable(createMetrics())));
    const names = new Set(rowsOf(table).map(([, name]) => name?.replaceAll('`', '')));
    const named = new Set(docs.replace(table, '').match(/\bhub_[a-z_]+\b/g));
    expect([...named].filter((name) => !names.has(name))).toEqual([]);
  });

  // Where promtool is installed, e2e/metrics checks the names with promtool too.
  it('follow the naming conventions', async () => {
    const all = await createMetrics().registry.getMetricsAsJSON();
    for (const { name, help, type } of all) {
      expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(help).not.toBe('');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes|percent|count|gauge|histogram)$/);
      expect([name, name.endsWith('_total')]).toEqual([name, String(type) === 'counter']);
    }
    expect(all.length).toBeGreaterThan(60);
  });

  it('have every series from the start', async () => {
    const text = await createMetrics().registry.metrics();
    const families = text.match(/^# TYPE (hub_\w+)/gm) ?? [];
    for (const family of families) {
      const name = family.slice('# TYPE '.length);
      expect(text).toMatch(new RegExp(`^${name}(_count)?(\\{[^}]*\\})? 0$`, 'm'));
    }
    for (const method of Object.keys(methods))
      for (const transport of ['ws', 'rest'])
        for (const outcome of ['ok', 'unavailable', 'rate_limited', 'internal'])
          expect(text).toContain(
            `hub_calls_total{method="${method}",transport="${transport}",outcome="${outcome}"} 0`,
          );
    // The limit matters, because Prometheus keeps every series of every hub in memory.
    expect(text.split('\n').length).toBeLessThan(3_500);
  });

  it('measure in buckets at the targets', async () => {
    const text = await createMetrics().registry.metrics();
    for (const seconds of [0.004, 0.006, 0.008, 0.01, 0.012, 0.016, 0.025, 0.05])
      expect(text).toContain(`hub_delivery_seconds_bucket{le="${seconds}"} 0`);
  });
});
