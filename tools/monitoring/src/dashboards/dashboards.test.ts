import { readdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { dashboards, dashboardsFolder, driftedDashboards } from './dashboards.ts';
import { queriesIn } from './queries.ts';

describe('infra/monitoring/dashboards', () => {
  it('is as "npm run dashboards" writes it', async () => {
    expect(await driftedDashboards()).toEqual([]);
    expect((await readdir(dashboardsFolder)).toSorted()).toEqual(
      Object.keys(dashboards)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });

  it.each(Object.entries(dashboards))(
    '%s: every panel has a title, a unit and a query',
    (_, all) => {
      const queries = queriesIn(all);
      expect(queries.length).toBeGreaterThan(10);
      for (const { panel, expr } of queries) {
        expect(panel).not.toBe('');
        expect(expr).not.toBe('');
      }
      const ids = (all.panels ?? []).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );
});
