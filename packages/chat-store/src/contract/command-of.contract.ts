import { methods, type ParamsInputOf } from '@openclaw/protocol';
import type { Actor, Command, WriteMethod } from '../commands.ts';

/** Parses the params as the hub does. */
export function commandOf<M extends WriteMethod>(
  actor: Actor,
  method: M,
  params: ParamsInputOf<M>,
): Command {
  return { actor, method, params: methods[method].params.parse(params) } as Command;
}
