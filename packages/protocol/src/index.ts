export * from './wire.ts';
export { envelopeSchema, type Envelope } from './envelope.ts';
export { channelEventSchema, eventSchemas, type ChannelEvent, type EventOf } from './events.ts';
export { agentKinds, agentKindSchema, type AgentKind, type SenderKind } from './fields.ts';
export type { FreezeScope } from './freezes.ts';
export { hubEventSchemas, type HubEventPayload, type InboxEvent } from './hub-events.ts';
export { idSchema } from './ids.ts';
export type { ChannelOrder } from './list-cursor.ts';
export { buildJsonSchemas, type JsonSchema, type JsonSchemaOptions } from './json-schema.ts';
export { isMethodName, methods } from './methods.ts';
export type { MethodName, MethodOfKind, ParamsInputOf, ParamsOf, ResultOf } from './methods.ts';
export type { MethodDefinition, MethodExample, MethodKind } from './methods/definition.ts';
export type { Ask, AskState } from './methods/ask.ts';
export type { Question, QuestionState } from './methods/question.ts';
export type { InboxItem } from './methods/inbox.ts';
export type { LedgerGrouping } from './methods/ledger.ts';
export type { MethodLimit, RestRoute } from './methods/definition.ts';
export { notifications, type NotificationName, type NotificationOf } from './notifications.ts';
export type { Discontinuity, Reconnect, Welcome } from './notifications.ts';
export { channelKinds, channelSchema, memberSchema, messageSchema } from './objects.ts';
export { presenceSchema, threadSchema } from './objects.ts';
export type { Channel, Member, Message, Origin, Presence, Thread } from './objects.ts';
export { buildOpenApi, restErrorSchema, type OpenApiDocument } from './openapi.ts';
export type { OpenApiOptions, RestOperation } from './openapi.ts';
export type { Turn } from './turn.ts';
export {
  agentActivitySchema,
  agentConnectionSchema,
  agentTurnSchema,
  operationsAgentSchema,
  operationsAgentsSchema,
  operationsFiguresSchema,
  operationsFleetSchema,
  operationsSchema,
} from './operations-view.ts';
export type {
  AgentActivityReport,
  AgentConnectionReport,
  AgentTurnReport,
  Operations,
  OperationsAgent,
  OperationsAgents,
  OperationsFigures,
  OperationsFleet,
} from './operations-view.ts';
export { buildOpenRpc, type OpenRpcDocument } from './openrpc.ts';
