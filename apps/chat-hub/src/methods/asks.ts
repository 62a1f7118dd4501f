import { directChannelId } from '@openclaw/chat-store';
import { answer, type Handlers } from '../calls/handler.ts';
import type { DirectSend } from './creation-limit.ts';
import type { MethodDeps } from './method-deps.ts';
import { reads, writes } from './store-methods.ts';

export function askMethods(deps: MethodDeps, directSend: DirectSend) {
  const { writer, connectedAgents, typing } = deps;
  return {
    async 'ask.create'(caller, params) {
      const { agentId, channelId, threadId } = params;
      const created = await (agentId === null
        ? writer.write(caller, 'ask.create', params)
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
