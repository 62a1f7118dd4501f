import {
  decodeEnvelope,
  turnStateEvent,
  type EncodedEnvelope,
  type Presence,
  type TurnStatePayload,
} from '@openclaw/protocol';
import { filterPresence, isDelta } from './ephemeral.ts';

export interface Signal {
  readonly encoded: EncodedEnvelope;
  /**
   * A later signal with the same key replaces an earlier one. A presence event has one key for each of its agents. A
   * typing or turn event has one key, made of the agent and the thread.
   */
  readonly keys: readonly string[];
}

/** A session counts as stuck when it has missed signals of more keys than this. */
const maxKeys = 10_000;

const presenceKey = (agentId: string) => `presence ${agentId}`;

export function signalsOf(events: readonly EncodedEnvelope[]): Signal[] {
  const signals: Signal[] = [];
  for (const encoded of events) {
    if (encoded.seq !== null) continue;
    const keys = keysOf(encoded);
    if (keys.length > 0) signals.push({ encoded, keys });
  }
  return signals;
}

function keysOf(encoded: EncodedEnvelope): string[] {
  // A delta is not kept: the next delta, or the finished message, shows the client that text is missing.
  if (isDelta(encoded)) return [];
  const event = decodeEnvelope(encoded.json)?.envelope.event;
  if (event?.type === 'channel.typing') return [`typing ${event.agentId}:${event.threadId ?? ''}`];
  if (event?.type === 'collaboration.event' && event.name === turnStateEvent) {
    const { agentId, threadId } = event.payload as unknown as TurnStatePayload;
    return [`turn ${agentId}:${threadId ?? ''}`];
  }
  if (event?.type !== 'channel.presence') return [];
  return event.presences.map(({ agentId }) => presenceKey(agentId));
}

/** Keeps the signals that a session missed: for each key in each channel, only the latest. */
export class Conflation<Channel extends object> {
  readonly #latest = new Map<Channel, Map<string, Signal>>();
  #size = 0;

  /** Returns false when signals of too many keys are kept. */
  keep(channel: Channel, signals: readonly Signal[]): boolean {
    let latest = this.#latest.get(channel);
    if (!latest) {
      latest = new Map<string, Signal>();
      this.#latest.set(channel, latest);
    }
    for (const signal of signals) {
      for (const key of signal.keys) {
        // The key is deleted first, so that its new signal becomes the last in the map.
        if (!latest.delete(key)) this.#size += 1;
        latest.set(key, signal);
      }
    }
    return this.#size <= maxKeys;
  }

  next(): Channel | undefined {
    const [channel] = this.#latest.keys();
    return channel;
  }

  /**
   * Returns the channel's signals, and forgets them. A presence event loses the agents for which a later signal was
   * kept.
   */
  take(channel: Channel): EncodedEnvelope[] {
    const latest = this.#latest.get(channel);
    if (!latest) return [];
    this.forget(channel);
    return [...new Set(latest.values())].map((signal) => {
      const current = signal.keys.filter((key) => latest.get(key) === signal);
      return current.length === signal.keys.length ? signal.encoded : narrow(signal, current);
    });
  }

  forget(channel: Channel): void {
    this.#size -= this.#latest.get(channel)?.size ?? 0;
    this.#latest.delete(channel);
  }

  clear(): void {
    this.#latest.clear();
    this.#size = 0;
  }
}

function narrow({ encoded }: Signal, keys: readonly string[]): EncodedEnvelope {
  const isCurrent = ({ agentId }: Presence) => keys.includes(presenceKey(agentId));
  return filterPresence(encoded, (presences) => presences.filter(isCurrent)) ?? encoded;
}
