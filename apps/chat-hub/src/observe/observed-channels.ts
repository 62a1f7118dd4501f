import type { ChatStore } from '@openclaw/chat-store';
import { methods, type MethodName } from '@openclaw/protocol';
import type { Logger } from 'pino';
import type { ActRequest, Audit } from './audit.ts';

/** These methods are not audited, because their results show neither the channel's messages nor its members. */
const silent: ReadonlySet<MethodName> = new Set([
  'channel.get',
  'budget.get',
  'ledger.sum',
  'typing.start',
  'typing.stop',
]);

/** One entry of the audit log stands for all of an observer's reads of a channel within this time. */
const entryMs = 3_600_000;
const memberMs = 1_000;
const remembered = 10_000;

export function createObservedChannels(deps: {
  readonly store: Pick<ChatStore, 'access'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly log: Logger;
}) {
  const { store, audit, log } = deps;
  /**
   * Maps an agent and a channel to a time. Until this time, the agent's reads of the channel are not recorded again.
   */
  const quietUntilMs = new Map<string, number>();

  function keepQuiet(key: string, forMs: number): void {
    quietUntilMs.delete(key);
    quietUntilMs.set(key, performance.now() + forMs);
    const [oldest] = quietUntilMs.keys();
    if (quietUntilMs.size > remembered && oldest !== undefined) quietUntilMs.delete(oldest);
  }

  async function look(request: ActRequest, channelIds: readonly string[]): Promise<void> {
    const { agentId } = request.identity;
    const access = await store.access(agentId, channelIds, null);
    for (const channelId of channelIds) {
      const found = access.get(channelId);
      if (!found || found.role !== null || found.kind === 'public') continue;
      keepQuiet(`${agentId} ${channelId}`, entryMs);
      const details = { kind: found.kind };
      audit.record(request, { action: 'channel.observe', target: channelId, details });
    }
  }

  return {
    called(request: ActRequest, method: MethodName, params: object): void {
      const { agentId, observesPrivate } = request.identity;
      if (!observesPrivate || methods[method].kind === 'write' || silent.has(method)) return;
      const now = performance.now();
      const unknown = new Set(
        channelIdsOf(params).filter(
          (channelId) => (quietUntilMs.get(`${agentId} ${channelId}`) ?? -1) <= now,
        ),
      );
      if (unknown.size === 0) return;
      for (const channelId of unknown) keepQuiet(`${agentId} ${channelId}`, memberMs);
      look(request, [...unknown]).catch((error: unknown) => {
        log.error({ err: error, agentId, method }, 'the reads of an admin could not be audited');
      });
    },
  };
}

function channelIdsOf(params: object): string[] {
  const { channelId, topics } = params as {
    readonly channelId?: string | null;
    readonly topics?: readonly { readonly channelId: string }[];
  };
  return topics?.map((topic) => topic.channelId) ?? (channelId == null ? [] : [channelId]);
}
