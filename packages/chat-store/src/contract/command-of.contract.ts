import { methods, type ParamsInputOf } from '@openclaw/protocol';
import type { Actor, Command, WriteMethod } from '../commands.ts';

/** A command as the hub makes it from a call: its params are parsed, so they have their defaults. */
export function commandOf<M extends WriteMethod>(
  actor: Actor,
  method: M,
  params: ParamsInputOf<M>,
): Command {
  return { actor, method, params: methods[method].params.parse(params) } as Command;
}
