import type { RpcError } from './errors.ts';
import type { MethodName, ParamsInputOf, ResultOf } from './methods.ts';
import type { NotificationName, NotificationOf } from './notifications.ts';

/** The subprotocol that allows an array of JSON-RPC objects in one frame. */
export const subprotocol = 'openclaw.v1';

export const webSocketPath = '/v1/ws';

/** A call. Without an id it gets no response. */
export interface RpcCall<M extends MethodName = MethodName> {
  readonly jsonrpc: '2.0';
  readonly id?: string | number | null;
  readonly method: M;
  readonly params?: ParamsInputOf<M>;
}

/** The response to a call. */
export type RpcResponse<M extends MethodName = MethodName> =
  | { readonly jsonrpc: '2.0'; readonly id: string | number; readonly result: ResultOf<M> }
  | { readonly jsonrpc: '2.0'; readonly id: string | number | null; readonly error: RpcError };

/** A notification from the hub. */
export type RpcNotification = {
  [N in NotificationName]: {
    readonly jsonrpc: '2.0';
    readonly method: N;
    readonly params: NotificationOf<N>;
  };
}[NotificationName];
