import { directChannelId } from '@openclaw/chat-store';
import { limits, type MethodName } from '@openclaw/protocol';

/** What is limited, each with its own allowance per agent. */
export type LimitedAction = 'message' | 'reaction' | 'typing' | 'read' | 'create';

/** Changes of the log, all taken by the store in the order of their coming, and what each counts against. */
const changes: Partial<Record<MethodName, LimitedAction>> = {
  'channel.create': 'message',
  'channel.update': 'message',
  'channel.archive': 'message',
  'channel.delete': 'message',
  'channel.join': 'message',
  'channel.leave': 'message',
  'member.add': 'message',
  'member.remove': 'message',
  'member.update': 'message',
  'message.send': 'message',
  'message.edit': 'message',
  'message.delete': 'message',
  'direct.send': 'message',
  'thread.create': 'message',
  'thread.update': 'message',
  'collaboration.emit': 'message',
  'reaction.add': 'reaction',
  'reaction.remove': 'reaction',
  'read.mark': 'read',
};

const signals: Partial<Record<MethodName, LimitedAction>> = {
  'typing.start': 'typing',
  'typing.stop': 'typing',
  'presence.set': 'typing',
};

const kib = 1_024;

/**
 * Calls whose answers may be large, and how large: a socket has one of them under way at a time, and the answer's
 * memory is reserved before it is made.
 */
const bulky: Partial<Record<MethodName, number>> = {
  subscribe: limits.resumeBytes,
  'log.read': limits.resumeBytes,
  'message.history': limits.resumeBytes,
  'thread.list': 512 * kib,
  // Lists of 200: each channel may have 8 KiB of metadata, escaped.
  'channel.list': 2_048 * kib,
  'member.list': 512 * kib,
  'presence.list': 512 * kib,
  // The store's bound: 10,000 channels of 256 bytes.
  'read.state': 2_560 * kib,
};

/** No channel's id: it holds a colon. */
const bulkLine = ':bulk';

/** Whether the method changes the log. */
export function isChange(method: MethodName): boolean {
  return changes[method] !== undefined;
}

/** Whether the method's answer may be large. */
export function isBulky(method: MethodName): boolean {
  return bulky[method] !== undefined;
}

/** The bytes to reserve for the answer; 0 when it is small. */
export function answerBytes(method: MethodName, params: unknown): number {
  if (method === 'subscribe') {
    const { topics } = params as { readonly topics: readonly { readonly since: number | null }[] };
    if (topics.every(({ since }) => since === null)) return 0;
  }
  const most = bulky[method] ?? 0;
  const { limit } = params as { readonly limit?: number };
  // No row is larger than the frame that it came in.
  return limit === undefined ? most : Math.min(most, limit * limits.frameBytes);
}

/** Which limit a method counts against. */
export function actionOf(method: MethodName): LimitedAction {
  return changes[method] ?? signals[method] ?? 'read';
}

/** What a call must keep its order on: its channels, and for bulky calls the one line of them. */
export function linesOf(method: MethodName, params: unknown, agentId: string): string[] {
  const {
    channelId,
    agentId: other,
    topics,
    channelIds,
  } = params as {
    readonly channelId?: string | null;
    readonly agentId?: string;
    readonly topics?: readonly { readonly channelId: string }[];
    readonly channelIds?: readonly string[];
  };
  const lines =
    method === 'direct.send' && other !== undefined
      ? [directChannelId(agentId, other)]
      : (topics?.map((topic) => topic.channelId) ?? [...(channelIds ?? [])]);
  if (typeof channelId === 'string') lines.push(channelId);
  if (isBulky(method)) lines.push(bulkLine);
  return lines;
}
