import { isNameId, recentMessagesMax } from '@openclaw/key-schema';
import type { CacheOptions } from './options.ts';

/** A value as it is kept: the members of a set, or one JSON text. */
export type Raw = readonly string[];

/** How a view's values are kept. */
export interface Codec<T> {
  /** What the view holds of a loaded value. */
  readonly fit: (value: T) => T;
  /** Null: too large to be cached. */
  readonly encode: (value: T) => Raw | null;
  /** Undefined: not what `encode` makes. */
  readonly decode: (raw: Raw) => T | undefined;
  /** The value as it is when the channel's newest event is `head`. */
  readonly withHead: (value: T, head: number) => T;
}

// A set without members does not exist in Redis, so an empty one holds this; no agentId is empty.
const nobody = '';

type Settings = Required<CacheOptions>;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(raw: Raw): unknown {
  try {
    return JSON.parse(raw[0] ?? '') as unknown;
  } catch {
    return undefined;
  }
}

const encodeJson = (value: unknown, { maxValueBytes }: Settings): Raw | null => {
  const json = JSON.stringify(value);
  return Buffer.byteLength(json) <= maxValueBytes ? [json] : null;
};

/** Messages, oldest first: the newest fifty. */
export function recentMessagesCodec<Message extends object>(
  settings: Settings,
): Codec<readonly Message[]> {
  return {
    fit: (messages) =>
      messages.length > recentMessagesMax ? messages.slice(-recentMessagesMax) : messages,
    encode: (messages) => encodeJson(messages, settings),
    decode(raw) {
      const value = parseJson(raw);
      if (!Array.isArray(value) || value.length > recentMessagesMax) return undefined;
      const sound = value.every((message) => isObject(message) && settings.isMessage(message));
      return sound ? (value as Message[]) : undefined;
    },
    withHead: (messages) => messages,
  };
}

/** A channel object. Its `head` in the cache is that of the fill, and is never read. */
export function channelCodec<Channel extends { readonly head: number }>(
  settings: Settings,
): Codec<Channel> {
  return {
    fit: (channel) => channel,
    encode: (channel) => encodeJson(channel, settings),
    decode(raw) {
      const value = parseJson(raw);
      return isObject(value) && settings.isChannel(value) ? (value as Channel) : undefined;
    },
    withHead: (channel, head) => (channel.head === head ? channel : { ...channel, head }),
  };
}

/** The agentIds of a channel's members, in no order. */
export function membersCodec({ maxMembers }: Settings): Codec<readonly string[]> {
  return {
    fit: (members) => members,
    encode(members) {
      if (members.length > maxMembers) return null;
      return members.length === 0 ? [nobody] : members;
    },
    decode(raw) {
      const members = raw.filter((member) => member !== nobody);
      return members.every(isNameId) ? members : undefined;
    },
    withHead: (members) => members,
  };
}
