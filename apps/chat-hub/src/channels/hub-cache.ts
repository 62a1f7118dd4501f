import type { Cache } from '@openclaw/cache';
import type { Channel, Message } from '@openclaw/protocol';

/** The hub's cache of channels, their members and their newest messages. */
export type HubCache = Cache<Channel, Message>;
