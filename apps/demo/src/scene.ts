import type { JsonObject } from '@openclaw/protocol';
import type { Role } from './personas.ts';
import type { ChannelName } from './channels.ts';
import type { Randomness } from './randomness.ts';
import type { Words } from './words.ts';

export type Step =
  | {
      readonly kind: 'say';
      readonly by: Role;
      readonly text: string;
      /** Later steps refer to the message by this name. */
      readonly as?: string;
      /** The message is sent in the thread of the message with this name. */
      readonly under?: string;
    }
  | { readonly kind: 'react'; readonly by: Role; readonly emoji: string; readonly to: string }
  | { readonly kind: 'edit'; readonly by: Role; readonly message: string; readonly text: string }
  | { readonly kind: 'thread'; readonly by: Role; readonly message: string; readonly title: string }
  | {
      readonly kind: 'emit';
      readonly by: Role;
      readonly name: string;
      readonly payload: JsonObject;
    }
  | {
      readonly kind: 'status';
      readonly by: Role;
      readonly status: 'online' | 'away' | 'dnd';
      readonly customStatus: string;
    };

export interface Scene {
  readonly channel: ChannelName;
  steps(words: Words, random: Randomness): readonly Step[];
}

export const say = (
  by: Role,
  text: string,
  more: { readonly as?: string; readonly under?: string } = {},
): Step => ({ kind: 'say', by, text, ...more });

export const react = (by: Role, emoji: string, to: string): Step => ({
  kind: 'react',
  by,
  emoji,
  to,
});

export const edit = (by: Role, message: string, text: string): Step => ({
  kind: 'edit',
  by,
  message,
  text,
});

export const openThread = (by: Role, message: string, title: string): Step => ({
  kind: 'thread',
  by,
  message,
  title,
});

export const emit = (by: Role, name: string, payload: JsonObject): Step => ({
  kind: 'emit',
  by,
  name,
  payload,
});

export const setStatus = (
  by: Role,
  status: 'online' | 'away' | 'dnd',
  customStatus: string,
): Step => ({
  kind: 'status',
  by,
  status,
  customStatus,
});
