import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { AuthConfig } from '../config.ts';

const securitySchemes = {
  dev: {
    devAgent: {
      type: 'apiKey',
      in: 'query',
      name: 'agent',
      description: 'Who you say you are; `&role=admin` beside it makes an admin.',
    },
  },
  jwt: {
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    accessToken: {
      type: 'apiKey',
      in: 'query',
      name: 'access_token',
      description:
        'The same JWT, where no header can be set. Addresses end up in logs: a last resort.',
    },
  },
} as const;

/** What the OpenAPI document says beside its routes: the API's name, and how this hub lets callers in. */
export function openApiOptions({ mode }: AuthConfig): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'OpenClaw chat hub',
        version: '1',
        description: 'What a script needs of the hub, as resources.',
      },
      components: { securitySchemes: securitySchemes[mode] },
      security: Object.keys(securitySchemes[mode]).map((name) => ({ [name]: [] })),
    },
    transform: jsonSchemaTransform,
  };
}
