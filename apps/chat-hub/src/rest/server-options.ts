import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { malformed } from '../calls/failure.ts';
import { refuseUnreadable, sendFailure } from './errors.ts';

/** A connection is closed after this time of silence during a request or an answer. */
export const idleConnectionMs = 30_000;

/** With these options, no client can keep a connection by sending byte by byte or by not reading its answer. */
export const serverOptions = {
  http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16 * 1024 },
  requestTimeout: 10_000,
  connectionTimeout: idleConnectionMs,
  keepAliveTimeout: 30_000,
  forceCloseConnections: true,
  clientErrorHandler: refuseUnreadable,
  // The default error answers repeat the URL, which may hold a token.
  frameworkErrors(error: FastifyError, _request: FastifyRequest, reply: FastifyReply) {
    const failure = malformed('invalid_request', 'this is not an address of the hub');
    void sendFailure(reply, failure, error.statusCode ?? 400);
  },
};
