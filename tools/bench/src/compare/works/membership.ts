import type { Membership } from '../systems/system.ts';

/** Agents spread evenly over channels, each in one. */
export function membersOf(agents: number, channels: number): Membership[] {
  return Array.from({ length: agents }, (_, index) => ({
    agentId: `agent-${index}`,
    channelIds: [`bench-${index % channels}`],
  }));
}
