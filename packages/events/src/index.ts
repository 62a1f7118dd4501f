export { createEphemeralFilter } from './ephemeral-filter.ts';
export type { EphemeralFilter, EphemeralFilterOptions } from './ephemeral-filter.ts';
export { EventsError } from './errors.ts';
export type { EventsErrorCode } from './errors.ts';
export type {
  EventBus,
  EventBusStats,
  EventHandler,
  EventsLogger,
  ProbeResult,
  PublishTargets,
  Unsubscribe,
} from './event-bus.ts';
export { createMemoryEventBus } from './memory-event-bus.ts';
export type { MemoryEventBusOptions } from './memory-event-bus.ts';
export { createRedisEventBus } from './redis-event-bus.ts';
export type { RedisEventBusDeps, RedisEventBusOptions } from './redis-event-bus.ts';
export { createSequencer } from './sequencer.ts';
export type {
  EventSource,
  Schedule,
  Sequencer,
  SequencerDeps,
  SequencerOptions,
  SequencerStats,
  SequencerTotals,
} from './sequencer.ts';
