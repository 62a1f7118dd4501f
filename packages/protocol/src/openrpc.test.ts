import { describe, expect, it } from '@jest/globals';
import openRpcMeta from '@open-rpc/meta-schema';
import { Ajv, type AnySchemaObject } from 'ajv';
import { errorCodes } from './errors.ts';
import { methods } from './methods.ts';
import { notifications } from './notifications.ts';
import { buildOpenRpc } from './openrpc.ts';

// The type declarations of `@open-rpc/meta-schema` describe OpenRPC documents, not what the package exports.
const metaSchema = (openRpcMeta as unknown as { openrpcDocument: AnySchemaObject }).openrpcDocument;
const document = buildOpenRpc();
const refs = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, item]) =>
        key === '$ref' ? [String(item)] : refs(item),
      );

describe('the OpenRPC document', () => {
  it('is valid by the meta-schema of OpenRPC', () => {
    // The meta-schema refers to draft 7 by unusual addresses.
    const draft7 = { $ref: 'http://json-schema.org/draft-07/schema' };
    const definitions = { JSONSchemaObject: { properties: { $ref: { type: 'string' } } } };
    const ajv = new Ajv({ strict: false, formats: { uri: (text) => URL.canParse(text) } })
      .addMetaSchema({ $id: 'https://meta.json-schema.tools/', ...draft7, definitions })
      .addSchema({ $id: 'https://meta.json-schema.tools', ...draft7 });
    const validate = ajv.compile(metaSchema);
    const valid = validate(document);
    expect(validate.errors).toBeNull();
    expect(valid).toBe(true);
    expect(validate({ ...document, methods: [{ name: 'x' }] })).toBe(false);
  });

  it('describes exactly the existing methods and notifications', () => {
    expect(document.methods.map(({ name }) => name)).toEqual(Object.keys(methods));
    expect(document['x-notifications'].map(({ name }) => name)).toEqual(Object.keys(notifications));
    for (const { name, params } of document.methods) {
      const { shape } = methods[name as keyof typeof methods].params;
      expect(params.map((param) => param.name)).toEqual(Object.keys(shape));
    }
  });

  it('requires the params that have no default, and the result’s fields', () => {
    const send = document.methods.find(({ name }) => name === 'message.send');
    expect(send?.params.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      'channelId',
      'content',
    ]);
    expect(send?.result.schema.required).toEqual([
      ...['messageId', 'seq', 'timestamp', 'duplicate', 'unreached'],
    ]);
  });

  it('refers only to components it holds, and its schemas compile', () => {
    const held = new Set([
      ...Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
      ...Object.keys(document.components.errors).map((name) => `#/components/errors/${name}`),
    ]);
    const used = new Set(refs(document));
    expect([...used].filter((ref) => !held.has(ref))).toEqual([]);
    expect(used).toContain('#/components/schemas/Envelope');

    const ajv = new Ajv({ strict: false }).addSchema(document, 'doc');
    document.methods.forEach((method, index) => {
      expect(ajv.getSchema(`doc#/methods/${index}/result/schema`)).toBeDefined();
      method.params.forEach((_param, at) => {
        expect(ajv.getSchema(`doc#/methods/${index}/params/${at}/schema`)).toBeDefined();
      });
    });
  });

  it('names, for each method, refusals that are error codes, each once', () => {
    for (const method of document.methods) {
      const [, refused] = method.errors as [
        object,
        { data: { properties: { code: { enum: string[] } } } },
      ];
      const codes = refused.data.properties.code.enum;
      expect(new Set(codes).size).toBe(codes.length);
      for (const code of codes) expect(errorCodes).toContain(code);
    }
  });

  it('is plain JSON, and names the hub for which it was built', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(buildOpenRpc({ serverUrl: 'wss://hub.example/v1/ws' }).servers).toEqual([
      { name: 'hub', url: 'wss://hub.example/v1/ws' },
    ]);
  });
});
