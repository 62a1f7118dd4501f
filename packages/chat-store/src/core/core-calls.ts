import type { StoreCore } from './store-core.ts';

/** Metrics and limits distinguish these kinds of calls. */
export const callKinds = ['commit', 'write', 'read', 'look_up', 'system'] as const;
export type CallKind = (typeof callKinds)[number];

export type CoreMethod = Exclude<keyof StoreCore, 'close'>;

interface CallClass {
  readonly kind: CallKind;
  readonly thread: 'writer' | 'reader' | 'system';
  readonly pool: 'reads' | 'system';
}

const commit: CallClass = { kind: 'commit', thread: 'writer', pool: 'reads' };
const write: CallClass = { kind: 'write', thread: 'writer', pool: 'system' };
/** In the pool `system`, a write of many rows would delay heartbeats and revocations. */
const bulkWrite: CallClass = { kind: 'write', thread: 'writer', pool: 'reads' };
const read: CallClass = { kind: 'read', thread: 'reader', pool: 'reads' };
const lookUp: CallClass = { kind: 'look_up', thread: 'system', pool: 'system' };
const system: CallClass = { kind: 'system', thread: 'system', pool: 'system' };

type CallOf<M extends CoreMethod> = CallClass & {
  /** The agent in whose queue a look-up waits. A look-up without an agent is served before all queues. */
  readonly agentOf?: (...args: Parameters<StoreCore[M]>) => string;
};

export const coreCalls: { readonly [M in CoreMethod]: CallOf<M> } = {
  runGroup: commit,
  beat: write,
  recordAgents: write,
  recordMinutes: write,
  revoke: write,
  recordMinted: write,
  recordTokenUses: write,
  recordAudit: write,
  giveAgentOrder: write,
  changeEpoch: write,
  recordHubAgents: bulkWrite,
  checkpointStreams: write,
  keepStreams: write,
  // This sweep begins groups. In the pool `reads` it would occupy the connection that the commits need.
  sweepStreams: write,
  sweep: bulkWrite,
  feedSearch: bulkWrite,
  eraseSome: bulkWrite,
  read,
  readJson: read,
  access: lookUp,
  logPage: lookUp,
  directChannels: { ...lookUp, agentOf: (agentId) => agentId },
  isRevoked: { ...lookUp, agentOf: ({ sub }) => sub },
  hubs: lookUp,
  readMinutes: lookUp,
  fleet: lookUp,
  fleetAgent: lookUp,
  readMinted: lookUp,
  readTime: lookUp,
  readAudit: lookUp,
  isKnownAgent: lookUp,
  readStream: { ...lookUp, agentOf: ({ agentId }) => agentId },
  heads: system,
  recentHeads: system,
  changes: system,
  agentOrders: system,
  readStreamAuthors: system,
  freezes: system,
  due: system,
  inboxMarks: system,
  redislessHubs: system,
  epoch: system,
};

export const coreMethods = Object.keys(coreCalls) as readonly CoreMethod[];

export type CoreCall = (...args: readonly unknown[]) => Promise<unknown>;

export function coreOf(
  callOf: (method: CoreMethod) => CoreCall,
  close: () => Promise<void>,
): StoreCore {
  const calls = Object.fromEntries(coreMethods.map((method) => [method, callOf(method)]));
  return { ...(calls as unknown as Omit<StoreCore, 'close'>), close };
}

export function wrapCalls(
  core: StoreCore,
  wrap: (call: CoreCall, method: CoreMethod) => CoreCall,
): StoreCore {
  return coreOf(
    (method) => wrap(core[method] as CoreCall, method),
    () => core.close(),
  );
}
