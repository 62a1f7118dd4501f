import type { z } from 'zod';
import { closeCodes } from './close-codes.ts';
import { commonErrors, type ErrorCode, rpcErrorCodes } from './errors.ts';
import { buildJsonSchemas, type JsonSchema, namedSchemas } from './json-schema.ts';
import { limits } from './limits.ts';
import { methods } from './methods.ts';
import type { MethodDefinition, MethodExample } from './methods/definition.ts';
import { notifications } from './notifications.ts';
import { webSocketPath } from './web-socket.ts';

export type OpenRpcDocument = ReturnType<typeof buildOpenRpc>;

const description = `JSON-RPC 2.0 over WebSocket at ${webSocketPath}, subprotocol openclaw.v1.
Params are by name, and unknown names are refused. Results may gain fields.
A refusal is error ${rpcErrorCodes.refused} with data {code, retryAfterMs?} and what the method adds; each method says which codes it answers.`;

const malformed = {
  ParseError: { code: rpcErrorCodes.parseError, message: 'Parse error' },
  InvalidRequest: { code: rpcErrorCodes.invalidRequest, message: 'Invalid request' },
  MethodNotFound: { code: rpcErrorCodes.methodNotFound, message: 'Method not found' },
  InvalidParams: {
    code: rpcErrorCodes.invalidParams,
    message: 'Invalid params',
    data: 'The issues: [{path, message}].',
  },
};

/** The hub's WebSocket interface as OpenRPC 1.3.2. Takes some milliseconds: build it once. */
export function buildOpenRpc(options: { readonly serverUrl?: string } = {}) {
  const { serverUrl = `ws://127.0.0.1:8080${webSocketPath}` } = options;
  const others: Record<string, z.ZodType> = {};
  for (const [name, { params, result }] of Object.entries(methods)) {
    others[`${name} params`] = params;
    others[`${name} result`] = result;
  }
  for (const [name, { params }] of Object.entries(notifications)) {
    // The envelope is already a named schema.
    if (!Object.values(namedSchemas).includes(params)) others[`${name} notification`] = params;
  }
  const schemas = buildJsonSchemas(
    { target: 'draft-07', uri: (name) => `#/components/schemas/${name}` },
    others,
  );
  return {
    openrpc: '1.3.2' as const,
    info: { title: 'OpenClaw chat hub', version: '1.0.0', description },
    servers: [{ name: 'hub', url: serverUrl }],
    methods: Object.entries<MethodDefinition>(methods).map(([name, method]) => ({
      name,
      summary: method.summary,
      tags: [{ name: method.tag }],
      paramStructure: 'by-name' as const,
      params: contents(schemas[`${name} params`]),
      result: { name: 'result', schema: schemas[`${name} result`] ?? {} },
      errors: [{ $ref: '#/components/errors/InvalidParams' }, refusal(method.errors)],
      examples: method.examples.map(pairing),
      'x-limit': method.limit,
    })),
    components: {
      schemas: Object.fromEntries(
        Object.keys(namedSchemas).map((name) => [name, schemas[name] ?? {}]),
      ),
      errors: malformed,
    },
    /** OpenRPC has no place for notifications. */
    'x-notifications': Object.entries(notifications).map(([name, { summary }]) => ({
      name,
      description: summary,
      schema: schemas[`${name} notification`] ?? { $ref: '#/components/schemas/Envelope' },
    })),
    'x-close-codes': closeCodes,
    'x-limits': limits,
  };
}

function pairing({ params, result }: MethodExample, index: number): object {
  return {
    name: `example ${index + 1}`,
    params: Object.entries(params).map(([name, value]) => ({ name, value })),
    result: { name: 'result', value: result },
  };
}

// OpenRPC allows only one error for each number. The schema of `data` therefore lists the codes of -32000.
function refusal(errors: readonly ErrorCode[]): object {
  return {
    code: rpcErrorCodes.refused,
    message: 'Refused',
    data: {
      type: 'object',
      properties: {
        code: { enum: [...errors, ...commonErrors] },
        retryAfterMs: { type: 'integer', minimum: 0 },
      },
      required: ['code'],
    },
  };
}

function contents(params: JsonSchema | undefined) {
  const required = new Set(params?.required);
  return Object.entries(params?.properties ?? {}).map(([name, schema]) => {
    const { description: text, ...rest } = schema as JsonSchema;
    return {
      name,
      required: required.has(name),
      ...(text === undefined ? {} : { description: text }),
      schema: rest,
    };
  });
}
