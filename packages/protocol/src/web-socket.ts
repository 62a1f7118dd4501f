/** This subprotocol allows an array of JSON-RPC objects in one frame. */
export const subprotocol = 'openclaw.v1';

export const webSocketPath = '/v1/ws';
