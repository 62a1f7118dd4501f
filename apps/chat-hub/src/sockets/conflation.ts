import { decodeEnvelope, type EncodedEnvelope, type Presence } from '@openclaw/protocol';
import { filterPresence } from '../presence/filter-presence.ts';

/** A typing or presence event that some socket cannot take yet, decoded once for all such sockets. */
export interface Signal {
  readonly encoded: EncodedEnvelope;
  /** What it tells of whom, one name each: of two signals with the same name only the later one still matters. */
  readonly names: readonly string[];
}

/** The agents and channels of which one socket's missed signals are kept; a socket that misses more is stuck. */
const maxKept = 10_000;

const presenceName = (agentId: string) => `presence ${agentId}`;

/** The signals among a room's events, in their order. */
export function signalsOf(events: readonly EncodedEnvelope[]): Signal[] {
  const signals: Signal[] = [];
  for (const encoded of events) {
    if (encoded.seq !== null) continue;
    const names = namesOf(encoded);
    if (names.length > 0) signals.push({ encoded, names });
  }
  return signals;
}

function namesOf({ json }: EncodedEnvelope): string[] {
  const event = decodeEnvelope(json)?.envelope.event;
  if (event?.type === 'channel.typing') return [`typing ${event.agentId}`];
  if (event?.type !== 'channel.presence') return [];
  return event.presences.map(({ agentId }) => presenceName(agentId));
}

/**
 * What a socket that cannot be fed has missed of typing and presence: of each channel and agent the latest alone, so
 * that what it costs is bounded by how many there are and not by how often they change.
 */
export class Conflation<Channel extends object> {
  readonly #latest = new Map<Channel, Map<string, Signal>>();
  #size = 0;

  /** Keeps what is new of these. Returns false when more is missed than may be kept. */
  keep(channel: Channel, signals: readonly Signal[]): boolean {
    let latest = this.#latest.get(channel);
    if (!latest) {
      latest = new Map<string, Signal>();
      this.#latest.set(channel, latest);
    }
    for (const signal of signals) {
      for (const name of signal.names) {
        // Set anew, so that what changed last is told last.
        if (!latest.delete(name)) this.#size += 1;
        latest.set(name, signal);
      }
    }
    return this.#size <= maxKept;
  }

  /** A channel of which something is kept. */
  next(): Channel | undefined {
    const [channel] = this.#latest.keys();
    return channel;
  }

  /** Gives away what is kept of a channel: events as they came, less what later ones have outdated in them. */
  take(channel: Channel): EncodedEnvelope[] {
    const latest = this.#latest.get(channel);
    if (!latest) return [];
    this.forget(channel);
    return [...new Set(latest.values())].map((signal) => {
      const valid = signal.names.filter((name) => latest.get(name) === signal);
      return valid.length === signal.names.length ? signal.encoded : narrowed(signal, valid);
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

/** The same event with those presences alone that are still so. */
function narrowed({ encoded }: Signal, valid: readonly string[]): EncodedEnvelope {
  const isValid = ({ agentId }: Presence) => valid.includes(presenceName(agentId));
  return filterPresence(encoded, (presences) => presences.filter(isValid)) ?? encoded;
}
