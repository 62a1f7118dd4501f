import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { buildJsonSchemas, type JsonSchema, namedSchemas } from './json-schema.ts';
import { methods } from './methods.ts';
import type { MethodDefinition, MethodExample, RestRoute } from './methods/definition.ts';

export interface RestOperation {
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly route: RestRoute;
  /** Params of the path, and of the query (GET, DELETE) or the body. */
  readonly params: z.ZodObject;
  /** Null for an operation that is always refused. */
  readonly result: z.ZodType | null;
  readonly examples?: readonly MethodExample[];
}

export interface OpenApiOptions {
  readonly securitySchemes: Readonly<Record<string, object>>;
  readonly operations?: readonly RestOperation[];
}

export type OpenApiDocument = ReturnType<typeof buildOpenApi>;

/** The body of every refusal. `code` is an error code, or says that the request is malformed. */
export const restErrorSchema = z.object({
  error: z.looseObject({
    code: z.enum([...errorCodes, 'invalid_request', 'invalid_params', 'method_not_found']),
    message: z.string(),
    retryAfterMs: z.number().optional(),
    issues: z
      .array(z.object({ path: z.array(z.union([z.string(), z.int()])), message: z.string() }))
      .optional()
      .describe('The problems of the params, as in the data of a JSON-RPC error.'),
  }),
});

const description = `Every method is POST /v1/call/{method}, with its params as body and its result as answer.
Many are also resources. Params by name; unknown names in a body are refused.`;

/** Takes some milliseconds: build it once. */
export function buildOpenApi({ securitySchemes, operations = [] }: OpenApiOptions) {
  const all = [...methodOperations(), ...operations];
  const others: Record<string, z.ZodType> = { Error: restErrorSchema };
  for (const [index, { params, result }] of all.entries()) {
    others[`${index} params`] = params;
    if (result) others[`${index} result`] = result;
  }
  const schemas = buildJsonSchemas({ uri: (name) => `#/components/schemas/${name}` }, others);
  const paths: Record<string, Record<string, object>> = {};
  for (const [index, operation] of all.entries()) {
    const { verb, path } = operation.route;
    const verbs = (paths[`/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`] ??= {});
    const params = schemas[`${index} params`] ?? {};
    verbs[verb.toLowerCase()] = operationObject(operation, params, schemas[`${index} result`]);
  }
  const named = [...Object.keys(namedSchemas), 'Error'];
  return {
    openapi: '3.1.0' as const,
    info: { title: 'OpenClaw chat hub', version: '1', description },
    paths,
    components: {
      schemas: Object.fromEntries(named.map((name) => [name, schemas[name]])),
      responses: {
        Failure: {
          description: 'Refused, malformed or failed.',
          content: json({ $ref: '#/components/schemas/Error' }),
        },
      },
      securitySchemes,
    },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
  };
}

function* methodOperations(): Generator<RestOperation> {
  for (const [name, method] of Object.entries<MethodDefinition>(methods)) {
    const { tag, kind, params, examples, rest } = method;
    const isRefused = kind === 'socket';
    const summary = isRefused
      ? `${method.summary} Needs a WebSocket: unsupported.`
      : method.summary;
    const result = isRefused ? null : method.result;
    const common = { tag, summary, params, result, examples };
    const route: RestRoute = { verb: 'POST', path: `/call/${name}` };
    yield { ...common, operationId: `call.${name}`, route };
    if (rest) yield { ...common, operationId: name, route: rest };
  }
}

function operationObject(
  { operationId, tag, summary, route, examples = [] }: RestOperation,
  { properties = {}, required = [] }: JsonSchema,
  result: JsonSchema | undefined,
): object {
  const { verb, path, status = 200 } = route;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const others = Object.keys(properties).filter((name) => !inPath.includes(name));
  const isQuery = verb === 'GET' || verb === 'DELETE';
  const parameter = (place: 'path' | 'query') => (name: string) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: properties[name],
  });
  const pick = (values: object) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => others.includes(name)));
  const bodyRequired = required.filter((name) => others.includes(name));
  const body = {
    type: 'object',
    properties: pick(properties),
    ...(bodyRequired.length > 0 && { required: bodyRequired }),
    additionalProperties: false,
    ...(examples.length > 0 && { examples: examples.map((example) => pick(example.params)) }),
  };
  return {
    operationId,
    tags: [tag],
    summary,
    parameters: [
      ...inPath.map(parameter('path')),
      ...(isQuery ? others.map(parameter('query')) : []),
    ],
    ...(!isQuery && { requestBody: { required: bodyRequired.length > 0, content: json(body) } }),
    responses: {
      ...(result && { [status]: { description: 'Done.', content: json(result) } }),
      '4XX': { $ref: '#/components/responses/Failure' },
      '5XX': { $ref: '#/components/responses/Failure' },
    },
  };
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}
