import { methods, type ParamsInputOf } from '@openclaw/protocol';
import type { Actor, Command, WriteMethod } from '../commands.ts';

/** A command with parsed params and their defaults, like the hub makes it from a call. */
export function commandOf<M extends WriteMethod>(
  actor: Actor,
  method: M,
  params: ParamsInputOf<M>,
): Command {
  return { actor, method, params: methods[method].params.parse(params) } as Command;
}
