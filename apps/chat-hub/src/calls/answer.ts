import { refuse, type Refusal } from '@openclaw/chat-store';
import type { MethodName, ParamsOf, ResultOf } from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';
import type { Session } from '../sockets/session.ts';
import type { Steps } from '../event-loop/slices.ts';

export { refuse, type Refusal };

/**
 * What a method's handler answers. A result that is read from the store comes as its JSON in UTF-8, in pieces. One
 * that must not be overtaken by anything the call sets going is made in slices by `resultSteps`, at the moment of
 * sending, while what comes of the rooms that it enters waits behind it.
 */
export type Answer<M extends MethodName> =
  | { readonly ok: true; readonly result: ResultOf<M> }
  | { readonly ok: true; readonly resultBytes: readonly Uint8Array[] }
  | { readonly ok: true; readonly resultSteps: () => Steps<readonly Buffer[]> }
  | Refusal;

/** Who calls: an identity, and its socket where it has one (REST has none). */
export interface Caller {
  readonly identity: Identity;
  readonly session: Session | null;
}

/** One method of the hub. It may throw only what is a fault, or the store's unavailability. */
export type Handler<M extends MethodName> = (
  caller: Caller,
  params: ParamsOf<M>,
) => Answer<M> | Promise<Answer<M>>;

/** Every method of the protocol. */
export type Handlers = { readonly [M in MethodName]: Handler<M> };

/** A success's value. */
export function answer<R>(result: R): { readonly ok: true; readonly result: R } {
  return { ok: true, result };
}
