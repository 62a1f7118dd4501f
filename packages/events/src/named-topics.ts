import type { KeySchema, Topic, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import { EventsError } from './errors.ts';
import type { PublishTargets } from './event-bus.ts';

/** A topic and its name in Redis. */
export interface NamedTopic {
  readonly name: TopicName;
  readonly topic: Topic;
}

/** The topics that an event is published on. @throws {EventsError} `invalid_event` */
export function namedTopics(
  keys: KeySchema,
  { channelId }: EncodedEnvelope,
  to: PublishTargets,
): NamedTopic[] {
  const topics: NamedTopic[] = [];
  try {
    // Also when it is not published there: a durable event raises its channel's seq in any case.
    const name = channelId === null ? null : keys.channelTopic(channelId);
    for (const agentId of new Set(to.agents)) {
      topics.push({ name: keys.agentTopic(agentId), topic: { kind: 'agent', agentId } });
    }
    // After the agents' own: whoever is in the channel can tell, before the event changes that.
    if (to.channel === true) {
      if (channelId === null || name === null) throw new Error('it belongs to no channel');
      topics.push({ name, topic: { kind: 'channel', channelId } });
    }
  } catch (cause) {
    throw new EventsError('invalid_event', 'the event cannot be published there', { cause });
  }
  if (to.global === true) topics.push({ name: keys.globalTopic, topic: { kind: 'global' } });
  return topics;
}
