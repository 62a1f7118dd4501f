import { HubError } from '@openclaw/client';
import { createDemoAgent, type DemoAgent } from './agent.ts';
import { demoChannels, type DemoChannel } from './channels.ts';
import { personasOf, roles as allRoles, type Role } from './personas.ts';
import type { Randomness } from './randomness.ts';
import { retryWhileBusy } from './retry.ts';

export interface Fleet {
  readonly agents: readonly DemoAgent[];
  byId(agentId: string): DemoAgent | undefined;
  /** A small fleet may lack the role. The same agent then always substitutes for it. */
  agentFor(role: Role, random: Randomness): DemoAgent;
  agentsIn(channel: DemoChannel): readonly DemoAgent[];
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly url: string;
  readonly size: number;
  readonly signal: AbortSignal;
}

/** Also creates the channels that are missing. Rejects with HubError. */
export async function connectFleet({ url, size, signal }: FleetOptions): Promise<Fleet> {
  const agents = personasOf(size).map((persona) => createDemoAgent({ url, persona, signal }));
  const byId = new Map(agents.map((agent) => [agent.persona.agentId, agent]));
  const byRole = Map.groupBy(agents, ({ persona }) => persona.role);
  const [first] = agents;
  const close = async () => {
    await Promise.all(agents.map((agent) => agent.close()));
  };

  const fleet: Fleet = {
    agents,
    byId: (agentId) => byId.get(agentId),
    agentFor(role, random) {
      const some = byRole.get(role) ?? agents.slice(role.length % agents.length).slice(0, 1);
      return random.pick(some);
    },
    agentsIn({ roles }) {
      // In a small fleet that lacks some roles, the substitutes need to be in every channel.
      if (roles === null || byRole.size < allRoles.length) return agents;
      return agents.filter(({ persona }) => roles.includes(persona.role));
    },
    close,
  };
  try {
    await Promise.all(agents.map(({ client }) => client.ready({ signal })));
    for (const channel of Object.values<DemoChannel>(demoChannels)) {
      if (first) await retryWhileBusy(() => createChannel(first, channel), signal);
      await Promise.all(
        fleet
          .agentsIn(channel)
          .map((agent) => retryWhileBusy(() => joinChannel(agent, channel), signal)),
      );
    }
    return fleet;
  } catch (error) {
    await close();
    throw error;
  }
}

async function createChannel(
  { client }: DemoAgent,
  { channelId, name, topic }: DemoChannel,
): Promise<void> {
  try {
    await client.createChannel({ channelId, name, topic });
  } catch (error) {
    // An earlier demo has created the channel in this database.
    if (!(error instanceof HubError && error.code === 'conflict')) throw error;
  }
}

async function joinChannel(
  { client, persona }: DemoAgent,
  { channelId }: DemoChannel,
): Promise<void> {
  const channel = client.channel(channelId);
  const { member } = await channel.join();
  const { agentId, displayName } = persona;
  if (member.displayName !== displayName) await channel.updateMember(agentId, { displayName });
  await channel.subscribe();
}
