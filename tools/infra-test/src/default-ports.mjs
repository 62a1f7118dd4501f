// This module is loaded before a README's program. It redirects connections to the default ports of Redis and of the
// hub to the test's own servers, and refuses any other address.
import { Socket } from 'node:net';

const ports = new Map(Object.entries(JSON.parse(process.env.DEFAULT_PORTS)));
const { connect } = Socket.prototype;

Socket.prototype.connect = function connectToTestServer(...args) {
  // net.connect() passes its arguments on as one array.
  const [options, listener] = Array.isArray(args[0]) ? args[0] : args;
  const port = ports.get(String(options?.port));
  if (port === undefined || !['localhost', '127.0.0.1'].includes(options.host))
    throw new Error(`no test server stands for ${options?.host}:${options?.port}`);
  return connect.call(this, { ...options, host: '127.0.0.1', port }, listener ?? undefined);
};
