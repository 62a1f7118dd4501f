import { isUtf8 } from 'node:buffer';
import type { FastifyError, FastifyInstance } from 'fastify';

class UnreadableBody extends Error {
  override readonly name = 'UnreadableBody';
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

const wrongType = 'send the body as JSON, with the header Content-Type: application/json';
const compressed = 'send the body uncompressed: the hub reads no Content-Encoding';

/**
 * Accepts only JSON in UTF-8. Other content types get a 415, because a web page may post them across origins without a
 * preflight. Text that is not UTF-8 gets a 400, because its bytes would be stored as replacement characters. A body
 * with a key that could change a prototype is refused. An empty body counts as none, because many clients send a
 * content type with every request.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    const coding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
    if (bytes.length === 0) done(null, undefined);
    else if (coding !== 'identity' || isGzip(bytes)) done(new UnreadableBody(415, compressed));
    else if (isUtf8(bytes)) void parse(request, bytes.toString(), done);
    else done(new UnreadableBody(400, 'the body must be JSON in UTF-8: it is not UTF-8'));
  });
}

/** Returns the hub's own text, because a library's text may contain names that clients must not learn. */
export function unreadableText(error: FastifyError | Error): string {
  if (error instanceof UnreadableBody) return error.message;
  const { statusCode } = error as FastifyError;
  if (statusCode === 415) return wrongType;
  if (statusCode === 400) return 'the body must be JSON in UTF-8';
  return 'the request cannot be answered';
}

// Some clients compress the body without a content-encoding header. JSON never begins with these bytes.
function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
