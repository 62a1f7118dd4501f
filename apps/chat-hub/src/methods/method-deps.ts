import type { ChatStore } from '@openclaw/chat-store';
import type { Discontinuity } from '@openclaw/protocol';
import type { Limiter } from '../calls/invoke.ts';
import type { HubCache } from '../channels/hub-cache.ts';
import type { Publisher } from '../channels/publisher.ts';
import type { Rooms } from '../channels/rooms.ts';
import type { Writer } from '../channels/writer.ts';
import type { AgentOrders } from '../edge/agent-orders.ts';
import type { Freezes } from '../edge/freezes.ts';
import type { Streams } from '../streams/streams.ts';
import type { TimeSlicedQueue } from '../event-loop/time-sliced-queue.ts';
import type { Audit } from '../observe/audit.ts';
import type { ConnectedAgents } from '../presence/connected-agents.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { TurnFeed } from '../presence/turn-feed.ts';
import type { TypingFeed } from '../presence/typing-feed.ts';
import type { Logger } from 'pino';

export interface MethodDeps {
  readonly store: ChatStore;
  readonly cache: HubCache;
  readonly publisher: Publisher;
  readonly writer: Writer;
  readonly limiter: Pick<Limiter, 'consume'>;
  readonly freezes: Pick<Freezes, 'refresh'>;
  readonly rooms: Rooms;
  readonly log: Logger;
  readonly presence: PresenceFeed;
  readonly connectedAgents: Pick<ConnectedAgents, 'deliveriesTo'>;
  readonly typing: TypingFeed;
  readonly turns: TurnFeed;
  readonly streams: Streams;
  readonly slices: TimeSlicedQueue;
  readonly audit: Audit;
  readonly agentOrders: Pick<AgentOrders, 'now'>;
  /**
   * Called for each topic that the client resumes after a seq. `isResumed` is true when the answer has the topic's
   * missed events.
   */
  readonly onResume?: (isResumed: boolean) => void;
  /** Called for each topic whose next events were trimmed. */
  readonly onDiscontinuity?: (reason: Discontinuity['reason']) => void;
}
