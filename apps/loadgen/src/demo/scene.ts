import type { JsonObject } from '@openclaw/protocol';
import type { Role } from './cast.ts';
import type { PlaceName } from './places.ts';
import type { Randomness } from './randomness.ts';
import type { Words } from './words.ts';

/** One thing that happens in a scene. */
export type Beat =
  | {
      readonly kind: 'say';
      readonly by: Role;
      /** Markdown; `@role` mentions whoever plays that role. */
      readonly text: string;
      /** A name for the message, for the beats after. */
      readonly as?: string;
      /** Replies in the thread of a message that was named before. */
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

/** A conversation that can be played again and again, in other words each time. */
export interface Scene {
  readonly place: PlaceName;
  beats(words: Words, random: Randomness): readonly Beat[];
}

/** A message; see {@link Beat}. */
export const say = (
  by: Role,
  text: string,
  more: { readonly as?: string; readonly under?: string } = {},
): Beat => ({ kind: 'say', by, text, ...more });

/** A reaction to a message that was named before. */
export const react = (by: Role, emoji: string, to: string): Beat => ({
  ...{ kind: 'react', by, emoji, to },
});

/** The author puts a message that was named before into other words. */
export const edit = (by: Role, message: string, text: string): Beat => ({
  ...{ kind: 'edit', by, message, text },
});

/** Gives the thread of a message that was named before a title. */
export const titled = (by: Role, message: string, title: string): Beat => ({
  ...{ kind: 'thread', by, message, title },
});

/** An event of the agents' own naming. */
export const emit = (by: Role, name: string, payload: JsonObject): Beat => ({
  ...{ kind: 'emit', by, name, payload },
});

/** An agent says what it does now. */
export const nowIs = (by: Role, status: 'online' | 'away' | 'dnd', customStatus: string): Beat => ({
  kind: 'status',
  by,
  status,
  customStatus,
});
