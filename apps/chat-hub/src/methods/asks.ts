import { directChannelId } from '@openclaw/chat-store';
import { isContentTooLarge } from '@openclaw/protocol';
import { answer, type Handlers } from '../calls/handler.ts';
import type { DirectSend } from './creation-limit.ts';
import { tooLarge } from './messages.ts';
import type { MethodDeps } from './method-deps.ts';
import { reads, writes } from './store-methods.ts';

/** Handlers of ask.*. The store decides them; the hub adds which addressees are connected now. */
export function askMethods(deps: MethodDeps, directSend: DirectSend) {
  const { publisher, connectedAgents, typing } = deps;
  return {
    async 'ask.create'(caller, params) {
      if (isContentTooLarge(params.content)) return tooLarge();
      const { agentId, channelId, threadId } = params;
      const created = await (agentId === null
        ? publisher.commit(caller, 'ask.create', params)
        : directSend(
            caller,
            directChannelId(caller.identity.agentId, agentId),
            'ask.create',
            params,
          ));
      if (!created.ok || !('result' in created)) return created;
      const { result } = created;
      typing.messageSent(caller, { channelId: channelId ?? result.channelId, threadId });
      const asked = result.deliveries.map((delivery) => delivery.agentId);
      return answer({ ...result, ...(await connectedAgents.deliveriesTo(asked)) });
    },
    'ask.accept': writes(deps, 'ask.accept'),
    'ask.decline': writes(deps, 'ask.decline'),
    'ask.done': writes(deps, 'ask.done'),
    'ask.list': reads(deps, 'ask.list'),
  } satisfies Partial<Handlers>;
}
