import type { ChatStore } from '@openclaw/chat-store';
import type { EventBus } from '@openclaw/events';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Invoke } from '../calls/invoke.ts';
import type { Delivery } from '../channels/flusher.ts';
import type { Accepted } from '../edge/upgrade.ts';

/**
 * When the hub starts, each part through which a message passes is wrapped. With {@link untraced} each wrapper returns
 * the part itself, so tracing costs nothing per message.
 */
export interface Tracing {
  /** Keeps the trace context of the upgrade request for the calls of its socket. */
  accepted(next: (accepted: Accepted) => void): (accepted: Accepted) => void;
  dispatcher(next: Dispatcher): Dispatcher;
  invoke(next: Invoke): Invoke;
  store(next: Pick<ChatStore, 'append'>): Pick<ChatStore, 'append'>;
  bus(next: EventBus): EventBus;
  written(
    next: (deliveries: readonly Delivery[]) => void,
  ): (deliveries: readonly Delivery[]) => void;
}

const same = <T>(part: T): T => part;

export const untraced: Tracing = {
  accepted: same,
  dispatcher: same,
  invoke: same,
  store: same,
  bus: same,
  written: same,
};
