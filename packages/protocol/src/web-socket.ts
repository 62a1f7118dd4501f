/** The subprotocol that allows an array of JSON-RPC objects in one frame. */
export const subprotocol = 'openclaw.v1';

/** The path of the WebSocket on the hub. */
export const webSocketPath = '/v1/ws';
