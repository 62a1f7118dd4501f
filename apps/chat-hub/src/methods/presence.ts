import { answer, type Caller, type Handlers } from '../calls/handler.ts';
import { notMember } from './rights.ts';
import type { MethodDeps } from './method-deps.ts';

export function presenceMethods({ store, presence, typing, turns, writer }: MethodDeps) {
  const refusalOf = (caller: Caller, channelId: string) => notMember(store, caller, channelId);
  const refusalOfSignal = async (
    caller: Caller,
    channelId: string,
    use: 'writes' | 'writes unless archived' = 'writes',
  ) => (await notMember(store, caller, channelId, use)) ?? writer.refuseFrozen(caller.identity);
  return {
    async 'presence.set'({ session }, params) {
      await presence.set(session, params);
      return answer({});
    },
    async 'presence.list'(caller, { channelId, cursor, limit }) {
      const found = await presence.list(channelId, cursor, limit);
      return (await refusalOf(caller, channelId)) ?? answer(found);
    },
    async 'typing.start'(caller, { channelId, threadId }) {
      const refusal = await refusalOfSignal(caller, channelId);
      if (refusal) return refusal;
      await typing.start(caller, { channelId, threadId });
      return answer({});
    },
    async 'typing.stop'(caller, { channelId, threadId }) {
      const refusal = await refusalOfSignal(caller, channelId);
      if (refusal) return refusal;
      await typing.stop(caller, { channelId, threadId });
      return answer({});
    },
    async 'typing.list'(caller, { channelId, threadId }) {
      const found = await typing.list(channelId, threadId);
      return (await refusalOf(caller, channelId)) ?? answer(found);
    },
    async 'turn.set'(caller, params) {
      const { channelId, state } = params;
      const { agentId } = caller.identity;
      const use = state === 'idle' ? 'writes' : 'writes unless archived';
      const refusal = await refusalOfSignal(caller, channelId, use);
      if (refusal) return refusal;
      if (!(await turns.set(agentId, params, caller.session !== null))) return answer({});
      // If the agent left during the call, its turns may have been ended before this one was set. So end them again.
      const left = await refusalOf(caller, channelId);
      if (left) await turns.left(channelId, agentId);
      return left ?? answer({});
    },
    async 'turn.list'(caller, { channelId }) {
      const found = await turns.list(channelId);
      return (await refusalOf(caller, channelId)) ?? answer(found);
    },
  } satisfies Partial<Handlers>;
}
