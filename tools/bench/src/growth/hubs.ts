import { startPostgres, startRedis } from '@openclaw/test-support';
import { startFleet } from '../compare/fleet/fleet-proxy.ts';
import type { RunningSystem } from '../compare/systems/system.ts';
import { membersOf } from '../compare/works/run-fleet.ts';
import { measureSends, sendColumns } from './sends.ts';
import { ownHub, type Series } from './series.ts';

const agents = 111;
const perSecond = 500;

export const hubGrowth: Series = {
  name: 'growth: hubs',
  description: `${agents} agents in one channel, divided between hubs on one Redis and one PostgreSQL, ${perSecond} messages/s; processor time of hubs and Redis`,
  unit: 'hubs',
  sizes: [1, 2, 4],
  columns: sendColumns,
  fitted: ['deliveryMicros', 'p50Ms'],
  async run(count, effort) {
    await using redis = await startRedis();
    await using postgres = await startPostgres();
    await using stack = new AsyncDisposableStack();
    const system = ownHub(postgres.url);
    const hubs: RunningSystem[] = [];
    // The first hub creates the tables, so the hubs start in sequence.
    for (let at = 0; at < count; at += 1) hubs.push(stack.use(await system.start(redis)));
    const [first] = hubs;
    if (!first) throw new Error('there is no hub');
    const members = membersOf(agents, 1);
    await system.prepare(first, members);
    const ports = hubs.map(({ port }) => port);
    const setup = { dialect: system.dialect, ports, members, readsFrames: false };
    await using fleet = await startFleet(setup, effort.signal);
    await fleet.connect();
    return await measureSends(fleet, hubs, perSecond, effort);
  },
};
