import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';

/**
 * Bodies are JSON in UTF-8 and nothing else: a type that any web page may post without asking is none of ours, and
 * what is no UTF-8 is refused (400), not stored with its bad bytes replaced. A body that would poison a prototype is
 * refused too.
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
