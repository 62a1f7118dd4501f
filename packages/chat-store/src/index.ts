export { createChatStore } from './chat-store.ts';
export type {
  ChatStore,
  ChatStoreDeps,
  ChatStoreLogger,
  PoolConnections,
  StoreHealth,
} from './chat-store.ts';
export { refuse } from './commands.ts';
export type {
  Actor,
  AddressedLoop,
  AppendedEvent,
  Command,
  Expiry,
  Outcome,
  ReadMethod,
  ReadOutcome,
  Refusal,
  StreamPiece,
  WriteMethod,
} from './commands.ts';
export type { Access, DirectChannel } from './core/access.ts';
export type { AgentOrder, GivenAgentOrder } from './core/agent-orders.ts';
export type { AgentRecord } from './core/agents.ts';
export { newAuditId, type AuditEntry, type AuditQuery, type AuditRecord } from './core/audit.ts';
export type { Changes, RevokedToken } from './core/changes.ts';
export type { CommitMark } from './core/commit-mark.ts';
export { directChannelId } from './core/decide/send.ts';
export { eraseStart } from './core/erase.ts';
export type { EraseCounts, ErasedPiece, ErasePlace, Erasure } from './core/erase.ts';
export { callKinds, type CallKind } from './core/core-calls.ts';
export type { Freezes } from './core/freezes.ts';
export type { DatabaseCall } from './core/watched-core.ts';
export type { FleetAgent, LastMessage } from './core/fleet.ts';
export type { HubAgent } from './core/hub-agents.ts';
export type { HubBeat } from './core/hubs.ts';
export type { OperationsMinute } from './core/operations-minutes.ts';
export type { LogPage } from './core/read/log.ts';
export { streamAuthorsMax } from './core/streams.ts';
export type { Swept } from './core/retention.ts';
export type {
  ListedToken,
  MintedTokenRecord,
  RevocationTarget,
  TokenClaims,
  TokenQuery,
  TokenUse,
} from './core/tokens.ts';
export { ChatStoreError, type ChatStoreErrorCode } from './errors.ts';
export { databaseUrlProblem, type ChatStoreOptions } from './options.ts';
export { inspectStore } from './inspect.ts';
export type { StoreInspection } from './inspect.ts';
