import { isDirectChannelId } from '@openclaw/protocol';

export type WireReport = (kind: 'wire gap' | 'wire double', text: string) => void;

/**
 * Checks the frames of one client before the SDK sees them, because the SDK repairs mistakes of a hub. On one
 * connection, the events of each subscribed channel must be consecutive.
 */
export interface WireTap {
  opened(): void;
  sent(text: string): void;
  received(frame: unknown): void;
}

interface Answer {
  readonly channelId: string;
  readonly head?: number;
  readonly resumed?: boolean;
  readonly events?: readonly { readonly seq: number }[];
}

interface Frame {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly channelId?: string | null;
    readonly seq?: number | null;
    readonly head?: number;
    readonly direct?: readonly { readonly channelId: string; readonly head: number }[];
    readonly topics?: readonly { readonly channelId: string; readonly since?: number | null }[];
    readonly channelIds?: readonly string[];
  };
  readonly result?: { readonly topics?: readonly Answer[] };
}

/** `onSubscribed` is called at each answer that subscribes the connection to a channel. */
export function createWireTap(
  report: WireReport,
  onSubscribed: (channelId: string) => void = () => undefined,
): WireTap {
  /** channelId → the last seq on this connection; absent without a subscription. */
  let last = new Map<string, number>();
  let pendingSubscribes = new Map<number, ReadonlyMap<string, number | null>>();

  function onAnswer(answer: Answer, since: number | null) {
    const { channelId, head, resumed, events } = answer;
    if (head === undefined) return;
    onSubscribed(channelId);
    if (resumed && since !== null) {
      let expected = since + 1;
      for (const { seq } of events ?? []) {
        if (seq !== expected)
          report('wire gap', `${channelId}: a resume since ${since} has ${seq} for ${expected}`);
        expected = seq + 1;
      }
      if (expected !== head + 1)
        report('wire gap', `${channelId}: a resume since ${since} ends before its head ${head}`);
    }
    last.set(channelId, Math.max(last.get(channelId) ?? 0, head));
  }

  function onEvent(channelId: string, seq: number) {
    const before = last.get(channelId);
    if (before === undefined) {
      // The first seq is unknown until a subscribe is answered. A new direct channel needs no subscribe, so its first
      // event gives the seq.
      if (isDirectChannelId(channelId)) last.set(channelId, seq);
      return;
    }
    if (seq <= before) report('wire double', `${channelId}: ${seq} came after ${before}`);
    else if (seq > before + 1) report('wire gap', `${channelId}: ${seq} came after ${before}`);
    last.set(channelId, Math.max(before, seq));
  }

  function receive({ id, method, params, result }: Frame) {
    if (method === 'event') {
      if (params?.channelId != null && params.seq != null) onEvent(params.channelId, params.seq);
    } else if (method === 'welcome') {
      for (const { channelId, head } of params?.direct ?? []) last.set(channelId, head);
    } else if (method === 'discontinuity') {
      if (params?.channelId != null) last.set(params.channelId, params.head ?? 0);
    } else if (id !== undefined) {
      const sinces = pendingSubscribes.get(id);
      pendingSubscribes.delete(id);
      for (const answer of (sinces && result?.topics) ?? [])
        onAnswer(answer, sinces?.get(answer.channelId) ?? null);
    }
  }

  return {
    opened() {
      last = new Map();
      pendingSubscribes = new Map();
    },
    sent(text) {
      // Other frames are skipped, because parsing is expensive.
      if (!text.includes('"subscribe"') && !text.includes('"unsubscribe"')) return;
      const frame = JSON.parse(text) as Frame | Frame[];
      for (const { id, method, params } of Array.isArray(frame) ? frame : [frame]) {
        if (method === 'subscribe' && id !== undefined)
          pendingSubscribes.set(
            id,
            new Map(params?.topics?.map((t) => [t.channelId, t.since ?? null])),
          );
        if (method === 'unsubscribe') params?.channelIds?.forEach((it) => last.delete(it));
      }
    },
    received(frame) {
      if (Array.isArray(frame)) for (const one of frame) receive(one as Frame);
      else receive(frame as Frame);
    },
  };
}
