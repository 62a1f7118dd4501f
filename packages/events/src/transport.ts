import type { RedisKey, Topic, TopicName } from '@openclaw/key-schema';
import type { EncodedEnvelope } from '@openclaw/protocol';
import type { ProbeResult } from './event-bus.ts';
import type { NamedTopic } from './named-topics.ts';

/** One publish: where it goes, and the cache keys that it outdates. */
export interface Publication {
  readonly event: EncodedEnvelope;
  readonly topics: readonly NamedTopic[];
  readonly outdated: readonly RedisKey[];
  /** Those that go too when events before this one were never published. */
  readonly outdatedByGap: readonly RedisKey[];
}

/** Carries events between processes; what stays in this one is not its matter. */
export interface Transport {
  /** Resolves when all of it was taken. @throws {EventsError} `unavailable` */
  send(publication: Publication): Promise<void>;
  /**
   * Brings what other processes publish on a topic, or on all that match a pattern, and never what this one published.
   * Resolves with what ends it.
   */
  listen(
    name: TopicName,
    onEvent: (event: EncodedEnvelope, topic: Topic) => void,
  ): Promise<() => Promise<void>>;
  nextSeq(channelId: string): Promise<number>;
  /** Publishes a word to itself. See {@link EventBus.probe}. */
  probe(timeoutMs: number): Promise<ProbeResult>;
  onResubscribed(listener: () => void): () => void;
  readonly available: boolean;
  /** Whether it ever was available: what never was has been reported by whoever connects. */
  readonly wasAvailable: boolean;
  readonly stats: { readonly pending: number; readonly echoes: number; readonly malformed: number };
  /** Resolves when nothing waits to be sent or answered. */
  idle(): Promise<void>;
  /** Ends what it listens to by itself; the topics that were asked for end by what `listen` resolved with. */
  close(): Promise<void>;
}
