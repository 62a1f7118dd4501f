import { HubError } from '@openclaw/client';
import { createActor, type Actor } from './actor.ts';
import { castOf, roles as allRoles, type Role } from './cast.ts';
import { persist } from './persist.ts';
import { places, type Place } from './places.ts';
import type { Randomness } from './randomness.ts';

/** Every agent of the demo, connected and in its channels. */
export interface Troupe {
  readonly actors: readonly Actor[];
  byId(agentId: string): Actor | undefined;
  /** Somebody who plays the role; where nobody does, always the same other. */
  oneOf(role: Role, random: Randomness): Actor;
  /** Who is in a channel. */
  of(place: Place): readonly Actor[];
  close(): Promise<void>;
}

/** Options of {@link gatherTroupe}. */
export interface TroupeOptions {
  readonly url: string;
  readonly agents: number;
  readonly signal: AbortSignal;
}

/** Connects the agents, makes the channels that are missing, and enters them. Rejects with HubError. */
export async function gatherTroupe({ url, agents, signal }: TroupeOptions): Promise<Troupe> {
  const actors = castOf(agents).map((member) => createActor({ url, member, signal }));
  const byId = new Map(actors.map((actor) => [actor.member.agentId, actor]));
  const byRole = Map.groupBy(actors, ({ member }) => member.role);
  const [founder] = actors;
  const close = async () => {
    await Promise.all(actors.map((actor) => actor.close()));
  };

  const troupe: Troupe = {
    actors,
    byId: (agentId) => byId.get(agentId),
    oneOf(role, random) {
      const some = byRole.get(role) ?? actors.slice(role.length % actors.length).slice(0, 1);
      return random.pick(some);
    },
    of({ roles }) {
      if (roles === null) return actors;
      const inIt = actors.filter(({ member }) => roles.includes(member.role));
      // With few agents some roles are played by those who stand in for them.
      return byRole.size < allRoles.length ? actors : inIt;
    },
    close,
  };
  try {
    await Promise.all(actors.map(({ client }) => client.ready({ signal })));
    for (const place of Object.values<Place>(places)) {
      if (founder) await persist(() => found(founder, place), signal);
      await Promise.all(
        troupe.of(place).map((actor) => persist(() => enter(actor, place), signal)),
      );
    }
    return troupe;
  } catch (error) {
    await close();
    throw error;
  }
}

async function found({ client }: Actor, { channelId, name, topic }: Place): Promise<void> {
  try {
    await client.createChannel({ channelId, name, topic });
  } catch (error) {
    // From an earlier demo on the same database.
    if (!(error instanceof HubError && error.code === 'conflict')) throw error;
  }
}

async function enter({ client, member }: Actor, { channelId }: Place): Promise<void> {
  const channel = client.channel(channelId);
  const { member: known } = await channel.join();
  const { agentId, displayName } = member;
  if (known.displayName !== displayName) await channel.updateMember(agentId, { displayName });
  await channel.subscribe();
}
