import type { EventBus } from '@openclaw/events';
import { isDirectChannelId, type EventOf } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.ts';
import type { Identity } from '../edge/identity.ts';
import { createAnnouncer } from './announcer.ts';
import type { EncodeEphemeral } from './ephemeral.ts';

type EphemeralEvent =
  | EventOf<'channel.typing'>
  | EventOf<'channel.presence'>
  | (EventOf<'collaboration.event'> & { readonly channelId: string });

export function createPublisher(deps: {
  readonly bus: Pick<EventBus, 'publish'>;
  readonly encodeEphemeral: EncodeEphemeral;
  readonly metrics: Pick<Metrics, 'publishFailures' | 'droppedAnnouncements'>;
  readonly log: Logger;
  readonly directMembers: (channelId: string) => Promise<readonly string[]>;
  /** False if no Redis is configured and none was found. Then failures to publish are expected and are not counted. */
  readonly isRedisUsed: () => boolean;
}) {
  const { bus, encodeEphemeral, metrics, log, isRedisUsed } = deps;

  const countFailure = (error: unknown) => {
    if (!isRedisUsed()) return;
    metrics.publishFailures.inc();
    log.debug({ err: error }, 'an event did not reach Redis');
  };

  function publishGlobal(event: EventOf<'collaboration.event'>, { agentId, kind }: Identity): void {
    bus.publish(encodeEphemeral(event, agentId, kind), { global: true }).catch(countFailure);
  }

  const announce = createAnnouncer({
    publish: publishGlobal,
    onDropped: () => metrics.droppedAnnouncements.inc(),
  });

  return {
    announce,
    /** An ephemeral event that is published while Redis is away never reaches other hubs. */
    publishEphemeral(event: EphemeralEvent, senderId: string) {
      const { channelId } = event;
      const encoded = encodeEphemeral(event, senderId);
      if (!isDirectChannelId(channelId)) {
        bus.publish(encoded, { channel: true }).catch(countFailure);
        return;
      }
      deps
        .directMembers(channelId)
        .then((agents) => bus.publish(encoded, { agents }))
        .catch(countFailure);
    },
    publishGlobal,
    countFailure,
  };
}

export type Publisher = ReturnType<typeof createPublisher>;
