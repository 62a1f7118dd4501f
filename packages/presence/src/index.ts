export { PresenceError } from './errors.ts';
export type { PresenceErrorCode } from './errors.ts';
export type { RedisLeaseStoreDeps } from './lease-store/lease-scripts.ts';
export type {
  JoinEntry,
  JoinOutcome,
  Lease,
  LeaseStore,
  LeaveEntry,
  ConnectionEntry,
  ConnectionPage,
  ConnectionPageOptions,
  PageOptions,
  PresenceChange,
  PresencePage,
  RenewEntry,
  RenewFinding,
  UpdateEntry,
} from './lease-store/lease-store.ts';
export { createMemoryLeaseStore } from './lease-store/memory-lease-store.ts';
export { createRedisLeaseStore } from './lease-store/redis-lease-store.ts';
export { presenceDefaults } from './options.ts';
export type {
  LeaseStoreOptions,
  MemoryLeaseStoreOptions,
  PresenceTrackerOptions,
  RedisLeaseStoreOptions,
} from './options.ts';
export { presenceDifference, presenceStatuses } from './state.ts';
export type { PresenceMetadata, PresenceRecord, PresenceState, PresenceStatus } from './state.ts';
export type { Decision } from './tracker/changes.ts';
export { createPresence } from './tracker/presence-tracker.ts';
export type {
  Connection,
  PresenceListener,
  PresenceStats,
  PresenceTracker,
  PresenceTrackerDeps,
} from './tracker/presence-tracker.ts';
