import { z } from 'zod';
import { envelopeSchema } from './envelope.ts';
import { channelEventSchema, eventSchemas } from './events.ts';
import { eventTypes } from './event-types.ts';
import { idSchema } from './ids.ts';
import {
  channelSchema,
  memberSchema,
  messageSchema,
  originSchema,
  presenceSchema,
  threadSchema,
} from './objects.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

export interface JsonSchemaOptions {
  /**
   * 2020-12 for JSON Schema and OpenAPI 3.1, draft-07 for OpenRPC.
   * @default 'draft-2020-12'
   */
  readonly target?: 'draft-2020-12' | 'draft-07';
  /**
   * The address of a named schema.
   * @default (name) => `#/$defs/${name}`
   */
  readonly uri?: (name: string) => string;
}

/** Every document has these schemas. */
export const namedSchemas: Readonly<Record<string, z.ZodType>> = {
  Id: idSchema,
  Message: messageSchema,
  Origin: originSchema,
  Channel: channelSchema,
  Member: memberSchema,
  Thread: threadSchema,
  Presence: presenceSchema,
  ...Object.fromEntries(eventTypes.map((type) => [eventSchemaName(type), eventSchemas[type]])),
  ChannelEvent: channelEventSchema,
  Envelope: envelopeSchema,
};

/**
 * Builds the JSON Schemas of `others` and of the objects, events and envelope, by name (`Message`,
 * `ChannelMessageEditEvent`, …). They describe what a caller writes: a param with a default is not required.
 */
export function buildJsonSchemas(
  options: JsonSchemaOptions = {},
  others: Readonly<Record<string, z.ZodType>> = {},
): Record<string, JsonSchema> {
  const { target = 'draft-2020-12', uri = (name) => `#/$defs/${name}` } = options;
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...namedSchemas, ...others })) {
    registry.add(schema, { id });
  }
  const { schemas } = z.toJSONSchema(registry, { io: 'input', target, uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _draft, $id: _id, ...schema }]) => [
      name,
      schema,
    ]),
  );
}

// channel.message.edit → ChannelMessageEditEvent, collaboration.event → CollaborationEvent.
function eventSchemaName(type: string): string {
  const words = type.replace(/\.event$/, '').split('.');
  return `${words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('')}Event`;
}
