import { buildOpenApi, buildOpenRpc } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import type { AuthConfig } from '../config.ts';
import { auditOperations } from './audit.ts';
import { operationsOperations } from './operations.ts';
import { tokenOperations } from './tokens.ts';

const securitySchemes = {
  dev: {
    devAgent: {
      type: 'apiKey',
      in: 'query',
      name: 'agent',
      description: 'The agent that you claim to be; `&role=admin` beside it makes an admin.',
    },
  },
  jwt: {
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    accessToken: {
      type: 'apiKey',
      in: 'query',
      name: 'access_token',
      description:
        'The same JWT, where no header can be set. URLs end up in logs: use it as a last resort.',
    },
  },
} as const;

export function specifications({ mode }: AuthConfig): Record<string, () => object> {
  return {
    '/v1/openrpc.json': () => buildOpenRpc(),
    '/v1/openapi.json': () =>
      buildOpenApi({
        securitySchemes: securitySchemes[mode],
        operations: [...tokenOperations, ...auditOperations, ...operationsOperations],
      }),
  };
}

/** Each document is built once, at its first request. */
export function addDocuments(app: FastifyInstance, documents: Record<string, () => object>): void {
  for (const [path, build] of Object.entries(documents)) {
    let text: Buffer | undefined;
    app.get(path, async (_request, reply) => {
      text ??= Buffer.from(JSON.stringify(build()));
      return reply.type('application/json').send(text);
    });
  }
}
