import { randomUUID } from 'node:crypto';
import type { ChatStore } from '@openclaw/chat-store';
import { encodeEnvelope } from '@openclaw/protocol';
import { answer, type Handlers } from '../calls/handler.ts';
import type { Publisher } from '../channels/publisher.ts';
import { refuseNonAdmin } from '../edge/identity.ts';
import type { WriteDeps } from './store-methods.ts';

export interface CollaborationDeps extends WriteDeps {
  readonly store: Pick<ChatStore, 'epoch'>;
  readonly publisher: Pick<Publisher, 'commit' | 'publishGlobal'>;
}

/** Handler of collaboration.emit: events that agents define, sent to a channel or, by admins, to everyone. */
export function collaborationMethods({ store, publisher }: CollaborationDeps) {
  return {
    async 'collaboration.emit'(caller, params) {
      const { channelId, name, payload } = params;
      if (channelId !== null) return publisher.commit(caller, 'collaboration.emit', params);
      const refusal = refuseNonAdmin(caller.identity, 'send to everyone');
      if (refusal) return refusal;
      publisher.publishGlobal(
        encodeEnvelope({
          id: randomUUID(),
          event: { type: 'collaboration.event', channelId: null, name, payload },
          timestamp: Date.now(),
          senderId: caller.identity.agentId,
          senderKind: caller.identity.kind,
          channelId: null,
          seq: null,
          epoch: store.epoch,
        }),
      );
      return answer({ seq: null });
    },
  } satisfies Partial<Handlers>;
}
