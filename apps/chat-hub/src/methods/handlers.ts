import { answer, type Handlers } from '../calls/handler.ts';
import { agentMethods } from './agents.ts';
import { askMethods } from './asks.ts';
import { channelMethods } from './channels.ts';
import { createDirectSend } from './creation-limit.ts';
import { freezeMethods } from './freezes.ts';
import { messageMethods } from './messages.ts';
import { questionMethods } from './questions.ts';
import { presenceMethods } from './presence.ts';
import type { MethodDeps } from './method-deps.ts';
import { streamMethods } from './streams.ts';
import { subscriptionMethods } from './subscriptions.ts';

export function createHandlers(deps: MethodDeps): Handlers {
  const directSend = createDirectSend(deps);
  return {
    ...channelMethods(deps),
    ...messageMethods(deps, directSend),
    ...streamMethods(deps),
    ...askMethods(deps, directSend),
    ...questionMethods(deps),
    ...freezeMethods(deps),
    ...subscriptionMethods(deps),
    ...presenceMethods(deps),
    ...agentMethods(deps),
    ping: () => answer({ timestamp: Date.now() }),
  };
}
