import { randomUUID } from 'node:crypto';
import { encodeEnvelope } from '@openclaw/protocol';
import { isAdminOfAll } from '../edge/identity.ts';
import { write, type Hub } from './hub.ts';
import { answer, refuse, type Handlers } from '../calls/answer.ts';

/** collaboration.emit: events of the agents' own making, in a channel or, for admins, to everyone. */
export function collaborationMethods(hub: Hub): Pick<Handlers, 'collaboration.emit'> {
  return {
    async 'collaboration.emit'(caller, params) {
      const { channelId, name, payload } = params;
      if (channelId !== null) return write(hub, caller, 'collaboration.emit', params);
      if (!isAdminOfAll(caller.identity))
        return refuse(
          'forbidden',
          'only an admin whose token is not bound to channels may send to everyone',
        );
      hub.publisher.global(
        encodeEnvelope({
          id: randomUUID(),
          event: { type: 'collaboration.event', channelId: null, name, payload },
          timestamp: Date.now(),
          senderId: caller.identity.agentId,
          senderKind: caller.identity.kind,
          channelId: null,
          seq: null,
          epoch: hub.store.epoch,
        }),
      );
      return answer({ seq: null });
    },
  };
}
