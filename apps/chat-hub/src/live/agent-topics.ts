import type { EventBus } from '@openclaw/events';
import { isDirectChannelId, type EncodedEnvelope } from '@openclaw/protocol';
import { notificationText } from './frame.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** The topics of the agents connected here: direct channels, and notices about channels they do not listen to. */
export interface AgentTopics {
  /** Resolves once the agent's topic is subscribed. */
  join(agentId: string): Promise<void>;
  /** To be called when the agent's last socket here is gone. */
  leave(agentId: string): void;
}

export interface AgentTopicsDeps {
  readonly bus: EventBus;
  readonly rooms: Rooms;
  readonly sessions: Sessions;
  readonly onEphemeral: (room: Room, event: EncodedEnvelope) => void;
}

/** Creates the table of agent topics. */
export function createAgentTopics({
  bus,
  rooms,
  sessions,
  onEphemeral,
}: AgentTopicsDeps): AgentTopics {
  const topics = new Map<string, Promise<() => Promise<void>>>();

  function direct(agentId: string, channelId: string, event: EncodedEnvelope): void {
    // A direct channel's first event opens its room here: it starts just before that event.
    const room = rooms.openDirect(channelId, (event.seq ?? 1) - 1);
    const before = event.seq === null ? room.head : Math.min(room.head, event.seq - 1);
    for (const session of sessions.ofAgent(agentId)) {
      if (session.rooms.has(channelId) || session.mutedDirects.has(channelId)) continue;
      if (!isWithinBounds(session, channelId)) continue;
      if (session.isWelcomed) session.enter(room, before);
      else if (!session.earlyDirects.has(channelId)) session.earlyDirects.set(channelId, before);
    }
    if (event.seq === null) onEphemeral(room, event);
    else room.offer(event);
  }

  function notice(agentId: string, channelId: string, event: EncodedEnvelope): void {
    let text: string | undefined;
    for (const session of sessions.ofAgent(agentId)) {
      if (
        session.rooms.has(channelId) ||
        !session.isWelcomed ||
        !isWithinBounds(session, channelId)
      )
        continue;
      session.send((text ??= notificationText('notice', event.json)));
    }
  }

  return {
    async join(agentId) {
      let subscription = topics.get(agentId);
      if (!subscription) {
        subscription = bus.subscribeAgent(agentId, (event) => {
          if (event.channelId === null) return;
          if (isDirectChannelId(event.channelId)) direct(agentId, event.channelId, event);
          else notice(agentId, event.channelId, event);
        });
        topics.set(agentId, subscription);
        subscription.catch(() => topics.delete(agentId));
      }
      await subscription;
    },
    leave(agentId) {
      const subscription = topics.get(agentId);
      topics.delete(agentId);
      void subscription?.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    },
  };
}

function isWithinBounds(session: Session, channelId: string): boolean {
  const { channels } = session.identity;
  return channels === null || channels.includes(channelId);
}
