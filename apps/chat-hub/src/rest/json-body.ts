import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';

/**
 * Accepts bodies in JSON and UTF-8 alone. A web page may post other content types across origins without a preflight, so
 * they are refused (415). Text that is not UTF-8 is refused (400), not stored with bytes replaced, and so is a body that
 * would pollute a prototype.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (isUtf8(body as Buffer)) {
      void parse(request, body.toString(), done);
    } else {
      done(Object.assign(new Error('the body is not UTF-8'), { statusCode: 400 }));
    }
  });
}
