import { memoryOf } from '../compare/processor-time.ts';
import type { Membership } from '../compare/systems/system.ts';
import { withFleet } from '../compare/works/run-fleet.ts';
import { measureSends, mebibyte, sendColumns } from './sends.ts';
import { ownHub, type Series } from './series.ts';

const agents = 200;
const perSecond = 500;

/** Each channel has two members, so that only the number of channels grows. */
function membersOf(channels: number): Membership[] {
  const joined = Array.from({ length: agents }, (): string[] => []);
  for (let channel = 0; channel < channels; channel += 1) {
    const step = 1 + (Math.floor(channel / agents) % (agents - 1));
    joined[channel % agents]?.push(`bench-${channel}`);
    joined[(channel + step) % agents]?.push(`bench-${channel}`);
  }
  return joined
    .map((channelIds, index) => ({ agentId: `agent-${index}`, channelIds }))
    .filter(({ channelIds }) => channelIds.length > 0);
}

export const channelGrowth: Series = {
  name: 'growth: channels',
  description: `up to ${agents} agents, two in each channel, ${perSecond} messages/s over all channels`,
  unit: 'channels',
  sizes: [10, 100, 1_000, 10_000],
  columns: [...sendColumns, { key: 'residentMebibytes', title: 'hub MiB', digits: 0 }],
  fitted: ['sumMicros', 'p50Ms', 'residentMebibytes'],
  run: (channels, effort) =>
    withFleet(
      ownHub(),
      membersOf(channels),
      { readsFrames: false, signal: effort.signal },
      async (fleet, hub) => {
        const { values, notes } = await measureSends(fleet, [hub], perSecond, effort);
        const { residentBytes } = memoryOf(hub.pids.server);
        return { values: { ...values, residentMebibytes: residentBytes / mebibyte }, notes };
      },
    ),
};
