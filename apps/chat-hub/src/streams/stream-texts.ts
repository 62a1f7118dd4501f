import { limits, utf8Bytes, type AgentKind } from '@openclaw/protocol';

export interface StreamBudget {
  readonly agentBytes: number;
  readonly hubBytes: number;
}

const streamBudget: StreamBudget = {
  // Room for all streams of an agent at their largest size, and for as many texts of streams that have just ended on
  // other hubs.
  agentBytes: 4 * limits.streams * limits.contentBytes,
  hubBytes: 64 * 1_048_576,
};
const textBytes = 512;

export interface StreamText {
  readonly channelId: string;
  readonly messageId: string;
  readonly agentId: string;
  readonly kind: AgentKind;
  text: string;
  /** The size of the text in UTF-8. */
  bytes: number;
  /** The database has this many code units of the text. */
  savedLength: number;
  /** Watchers were sent this many code units of the text. */
  sentLength: number;
  sentMs: number;
  /** Since this time, the text has a part that is not in the database. */
  unsavedSinceMs: number;
  usedMs: number;
}

export const unsavedPart = ({ text, savedLength }: StreamText) => text.slice(savedLength);

/** Keeps the texts of growing messages in memory, within a budget for each agent and for the hub. */
export function createStreamTexts(
  { agentBytes, hubBytes }: StreamBudget = streamBudget,
  onDropped: (text: StreamText) => void = () => undefined,
) {
  /** The least recently used text is first. */
  const texts = new Map<string, StreamText>();
  const byChannel = new Map<string, Set<StreamText>>();
  const bytesOf = new Map<string, number>();
  let allBytes = 0;

  // V8 stores a string with up to two bytes per code unit.
  const costOf = ({ text }: StreamText) => textBytes + 2 * text.length;
  const has = (text: StreamText) => texts.get(text.messageId) === text;

  function count(agentId: string, bytes: number): void {
    allBytes += bytes;
    const ofAgent = (bytesOf.get(agentId) ?? 0) + bytes;
    if (ofAgent <= 0) bytesOf.delete(agentId);
    else bytesOf.set(agentId, ofAgent);
  }

  function drop(text: StreamText): void {
    if (!has(text)) return;
    const { channelId, messageId, agentId } = text;
    texts.delete(messageId);
    const inChannel = byChannel.get(channelId);
    inChannel?.delete(text);
    if (inChannel?.size === 0) byChannel.delete(channelId);
    count(agentId, -costOf(text));
    onDropped(text);
  }

  /** Drops texts that are in the database, except `kept`, until the bytes fit. Returns false when they do not fit. */
  function makeRoom(agentId: string, bytes: number, kept?: StreamText): boolean {
    const isHubOver = () => allBytes + bytes > hubBytes;
    const isOver = () => isHubOver() || (bytesOf.get(agentId) ?? 0) + bytes > agentBytes;
    if (!isOver()) return true;
    for (const text of texts.values()) {
      const isSaved = text.savedLength === text.text.length;
      const mayHelp = text.agentId === agentId || isHubOver();
      if (!isSaved || !mayHelp || text === kept) continue;
      drop(text);
      if (!isOver()) return true;
    }
    return false;
  }

  return {
    get: (messageId: string) => texts.get(messageId),
    /** Returns false when the text was dropped or replaced. */
    has,
    values: () => texts.values(),
    ofChannel: (channelId: string): Iterable<StreamText> => byChannel.get(channelId) ?? [],
    hasChannel: (channelId: string) => byChannel.has(channelId),
    /** Returns false when there is no room. */
    add(text: StreamText): boolean {
      const { channelId, messageId, agentId } = text;
      if (!makeRoom(agentId, costOf(text))) return false;
      const before = texts.get(messageId);
      if (before) drop(before);
      texts.set(messageId, text);
      byChannel.set(channelId, (byChannel.get(channelId) ?? new Set()).add(text));
      count(agentId, costOf(text));
      return true;
    },
    /** Returns false when there is no room. */
    extend(text: StreamText, more: string): boolean {
      const { agentId } = text;
      if (!makeRoom(agentId, 2 * more.length, text)) return false;
      count(agentId, 2 * more.length);
      text.text += more;
      text.bytes += utf8Bytes(more);
      return true;
    },
    use(text: StreamText, nowMs: number): void {
      text.usedMs = nowMs;
      texts.delete(text.messageId);
      texts.set(text.messageId, text);
    },
    drop,
    get size() {
      return texts.size;
    },
    get bytes() {
      return allBytes;
    },
  };
}

export type StreamTexts = ReturnType<typeof createStreamTexts>;
