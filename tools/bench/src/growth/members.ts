import { connectRpc, startRedis } from '@openclaw/test-support';
import { startFleet } from '../compare/fleet/fleet-proxy.ts';
import { membersOf, withFleet } from '../compare/works/run-fleet.ts';
import { measureSends, sendColumns } from './sends.ts';
import { ownHub, type Series } from './series.ts';
import { medianMs } from './timed.ts';

const connected = 10;
const perSecond = 200;

export const memberGrowth: Series = {
  name: 'growth: members',
  description: `a channel with members of which ${connected} are connected, ${perSecond} messages/s; then pages of its members, and a member who resumes`,
  unit: 'members',
  sizes: [10, 100, 1_000, 5_000],
  columns: [
    ...sendColumns,
    { key: 'memberPageMs', title: 'page of members ms', digits: 2 },
    { key: 'resumeMs', title: 'resume ms', digits: 2 },
  ],
  fitted: ['sumMicros', 'p50Ms', 'memberPageMs', 'resumeMs'],
  async run(members, effort) {
    const all = membersOf(members, 1);
    const system = ownHub();
    await using redis = await startRedis();
    await using hub = await system.start(redis);
    await system.prepare(hub, all);
    const setup = {
      dialect: system.dialect,
      ports: [hub.port],
      members: all.slice(0, connected),
      readsFrames: false,
    };
    await using fleet = await startFleet(setup, effort.signal);
    await fleet.connect();
    const { values, notes } = await measureSends(fleet, [hub], perSecond, effort);
    await using member = await connectRpc(`ws://127.0.0.1:${hub.port}/v1/ws?agent=agent-0`);
    const channelId = all[0]?.channelIds[0] ?? '';
    const { epoch } = member.welcome as { epoch: string };
    const { head } = (await member.call('log.read', { channelId, after: 0, limit: 1 })) as {
      head: number;
    };
    const topics = [{ channelId, since: Math.max(0, head - 100) }];
    return {
      values: {
        ...values,
        memberPageMs: await medianMs(50, () => member.call('member.list', { channelId })),
        resumeMs: await medianMs(50, () => member.call('subscribe', { topics, epoch })),
      },
      notes,
    };
  },
};

const deliveriesPerSecond = 20_000;

export const fanOutGrowth: Series = {
  name: 'growth: fan-out',
  description: `a channel whose members are all connected, ${deliveriesPerSecond.toLocaleString('en')} deliveries/s`,
  unit: 'sockets in the channel',
  sizes: [10, 100, 1_000],
  columns: sendColumns,
  fitted: ['sumMicros', 'deliveryMicros', 'p50Ms'],
  run: (sockets, effort) =>
    withFleet(
      ownHub(),
      membersOf(sockets, 1),
      { readsFrames: false, signal: effort.signal },
      (fleet, hub) => measureSends(fleet, [hub], deliveriesPerSecond / sockets, effort),
    ),
};
