import { notMember, type Hub } from './hub.ts';
import { answer, refuse, type Handlers } from '../calls/answer.ts';

/** presence.* and typing.*: what lives in Redis and may be lost. */
export function presenceMethods(
  hub: Hub,
): Pick<
  Handlers,
  'presence.set' | 'presence.list' | 'typing.start' | 'typing.stop' | 'typing.list'
> {
  return {
    async 'presence.set'(caller, params) {
      if (!caller.session) return refuse('unsupported', 'presence is set over a connection');
      await hub.presence.set(caller.session, params);
      return answer({});
    },
    async 'presence.list'(caller, params) {
      const { channelId, cursor, limit } = params;
      const found = await hub.presence.list(channelId, cursor, limit);
      return (await notMember(hub, caller, channelId)) ?? answer(found);
    },
    async 'typing.start'(caller, { channelId, threadId }) {
      const refusal = await notMember(hub, caller, channelId);
      if (refusal) return refusal;
      await hub.typing.start(caller, channelId, threadId);
      return answer({});
    },
    async 'typing.stop'(caller, { channelId }) {
      const refusal = await notMember(hub, caller, channelId);
      if (refusal) return refusal;
      await hub.typing.stop(caller, channelId);
      return answer({});
    },
    async 'typing.list'(caller, { channelId }) {
      const found = await hub.typing.list(channelId);
      return (await notMember(hub, caller, channelId)) ?? answer(found);
    },
  };
}
