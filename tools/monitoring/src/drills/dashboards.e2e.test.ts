import { beforeAll, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { dashboards } from '../dashboards/dashboards.ts';
import { queriesIn, resolved } from '../dashboards/queries.ts';
import { describeWith } from '../programs.ts';
import { startWorld, type World } from './world.ts';

const suite = suiteScope();
const rateInterval = '20s';
const readsBeforeMs = 60_000;

describeWith(
  'prometheus',
  'prometheus-alertmanager',
  'prometheus-redis-exporter',
  'prometheus-postgres-exporter',
  'prometheus-node-exporter',
)('under load no panel is empty', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(suite);
    await waitFor(() => world.load.sent > 200, { what: 'the load', timeoutMs: 90_000 });
  }, 180_000);

  /** A series of NaN, such as 0 divided by 0, also shows nothing. */
  async function isEmpty(expr: string): Promise<boolean> {
    const samples = await world.monitoring.query(resolved(expr, rateInterval));
    return !samples.some(({ value: [, text] }) => Number.isFinite(Number(text)));
  }

  it.each(Object.entries(dashboards))(
    'of the dashboard %s',
    async (_, dashboard) => {
      for (const { panel, expr } of queriesIn(dashboard))
        await waitFor(async () => !(await isEmpty(expr)), {
          what: `"${panel}": ${expr}`,
          timeoutMs: readsBeforeMs,
          everyMs: 500,
        });
    },
    300_000,
  );

  it('while a query of a metric that nobody has is empty', async () => {
    expect(await isEmpty('rate(hub_nothing_total[$__rate_interval])')).toBe(true);
  });

  it('and the load was served', () => {
    expect(world.load.failed).toBeLessThan(world.load.sent / 100);
  });
});
