import type { Hub } from './hub.ts';
import type { Handlers } from '../calls/answer.ts';
import { channelMethods } from './channels.ts';
import { collaborationMethods } from './collaboration.ts';
import { messageMethods } from './messages.ts';
import { presenceMethods } from './presence.ts';
import { readingMethods } from './reading.ts';
import { subscriptionMethods } from './subscriptions.ts';

/** Every method of the protocol, each family in a file of its own. */
export function createMethods(hub: Hub): Handlers {
  return {
    ...channelMethods(hub),
    ...messageMethods(hub),
    ...subscriptionMethods(hub),
    ...presenceMethods(hub),
    ...collaborationMethods(hub),
    ...readingMethods(hub),
  };
}
