import type { Handlers } from '../calls/handler.ts';
import { withMentions } from './messages.ts';
import type { MethodDeps } from './method-deps.ts';
import { outOfBounds } from './rights.ts';

export function streamMethods({ writer, streams }: MethodDeps) {
  return {
    async 'message.append'(caller, params) {
      const { identity } = caller;
      return (
        outOfBounds(caller, params.channelId) ??
        writer.refuseFrozen(identity) ??
        (await streams.append(identity, params))
      );
    },
    async 'message.finish'(caller, params) {
      const { identity } = caller;
      const { messageId } = params;
      const unsaved = streams.unsavedOf(identity, messageId);
      const actor = unsaved ? { ...identity, unsaved } : identity;
      const finished = withMentions(caller, params);
      const answer = await writer.write(caller, 'message.finish', finished, actor);
      if (answer.ok) streams.ended(identity, messageId);
      return answer;
    },
  } satisfies Partial<Handlers>;
}
