import { answer, type Handlers } from '../calls/handler.ts';
import { channelMethods, type ChannelDeps } from './channels.ts';
import { messageMethods, type MessageDeps } from './messages.ts';
import { presenceMethods, type PresenceDeps } from './presence.ts';
import { subscriptionMethods, type SubscriptionDeps } from './subscriptions.ts';

export type MethodDeps = ChannelDeps & MessageDeps & SubscriptionDeps & PresenceDeps;

/** Creates the handler of every method of the protocol, each family in a file of its own. */
export function createHandlers(deps: MethodDeps): Handlers {
  return {
    ...channelMethods(deps),
    ...messageMethods(deps),
    ...subscriptionMethods(deps),
    ...presenceMethods(deps),
    ping: () => answer({ timestamp: Date.now() }),
  };
}
