import type { MethodName, MethodOfKind, ParamsOf, ResultOf } from '@openclaw/protocol';
import type { Identity } from '../edge/identity.ts';
import type { Session } from '../sockets/session.ts';
import type { Steps } from '../event-loop/time-sliced-queue.ts';
import type { RequestTrace } from '../observe/request-trace.ts';
import type { CallOrder } from './call-order.ts';
import type { Failure } from './failure.ts';

export type Transport = 'ws' | 'rest';

export interface Caller {
  readonly identity: Identity;
  readonly transport: Transport;
  readonly session: Session | null;
  /** Absent over REST, because only the calls of a socket have an order. */
  readonly order?: CallOrder;
  readonly trace?: RequestTrace;
}

export interface SocketCaller extends Caller {
  readonly session: Session;
}

/**
 * `resultBytes` is JSON in UTF-8. `resultSteps` makes the result in time slices. Until the result is complete, the
 * socket gets no events of the rooms that it enters with this call.
 */
export type Answer<M extends MethodName> =
  | { readonly ok: true; readonly result: ResultOf<M> }
  | { readonly ok: true; readonly resultBytes: readonly Uint8Array[] }
  | {
      readonly ok: true;
      readonly resultSteps: () => Steps<readonly Buffer[]>;
      /**
       * The hub calls this when the result was sent, before the socket gets events of the rooms that the call entered.
       */
      readonly onReplied?: () => void;
    }
  | Failure;

/** Throws only for a fault, or when the store is unavailable. */
export type Handler<M extends MethodName> = (
  caller: M extends MethodOfKind<'socket'> ? SocketCaller : Caller,
  params: ParamsOf<M>,
) => Answer<M> | Promise<Answer<M>>;

export type Handlers = { readonly [M in MethodName]: Handler<M> };

export function answer<R>(result: R): { readonly ok: true; readonly result: R } {
  return { ok: true, result };
}
