import { isNameId, recentMessagesMax } from '@openclaw/key-schema';
import type { CacheOptions } from './options.ts';

/** A stored value: the members of a set, or one JSON text. */
export type Raw = readonly string[];

/** Counts the characters of all strings, and 64 for the entry itself. */
export function sizeOf(raw: Raw): number {
  return raw.reduce((bytes, text) => bytes + text.length, 64);
}

export interface Codec<T> {
  readonly fit: (value: T) => T;
  /** Null when the value is too large to be cached. */
  readonly encode: (value: T) => Raw | null;
  /** Undefined when the stored value is corrupt. */
  readonly decode: (raw: Raw) => T | undefined;
  readonly withHead: (value: T, head: number) => T;
}

// Redis has no empty set. This member stands for a set without members.
const nobody = '';

type Settings = Required<CacheOptions>;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonCodec<T>(
  { maxValueBytes }: Settings,
  isValid: (value: unknown) => boolean,
): Pick<Codec<T>, 'encode' | 'decode'> {
  return {
    encode(value) {
      const json = JSON.stringify(value);
      return Buffer.byteLength(json) <= maxValueBytes ? [json] : null;
    },
    decode([json = '']) {
      let value: unknown;
      try {
        value = JSON.parse(json);
      } catch {
        return undefined;
      }
      return isValid(value) ? (value as T) : undefined;
    },
  };
}

export function recentMessagesCodec<Message extends object>(
  settings: Settings,
): Codec<readonly Message[]> {
  const isMessage = (value: unknown) => isObject(value) && settings.isMessage(value);
  return {
    ...jsonCodec(
      settings,
      (value) =>
        Array.isArray(value) && value.length <= recentMessagesMax && value.every(isMessage),
    ),
    fit: (messages) =>
      messages.length > recentMessagesMax ? messages.slice(-recentMessagesMax) : messages,
    withHead: (messages) => messages,
  };
}

/** The head in a stored channel is not kept up to date, so `withHead` replaces it. */
export function channelCodec<Channel extends { readonly head: number }>(
  settings: Settings,
): Codec<Channel> {
  return {
    ...jsonCodec(settings, (value) => isObject(value) && settings.isChannel(value)),
    fit: (channel) => channel,
    withHead: (channel, head) => (channel.head === head ? channel : { ...channel, head }),
  };
}

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
