import type { ChatStore } from '@openclaw/chat-store';
import {
  decodeEnvelope,
  encodeEnvelope,
  isFreezeEvent,
  type EncodedEnvelope,
} from '@openclaw/protocol';

/**
 * The freezes of agents and of the hub, as this hub knows them. Freezes of channels are decided in
 * the store.
 */
export interface Frozen {
  readonly hub: boolean;
  readonly agents: ReadonlySet<string>;
}

/**
 * Keeps the freezes in memory, because every write needs them. A hub reads them again when Redis
 * publishes a change, and otherwise with its next tail check, within half a second.
 */
export async function createFreezes(store: Pick<ChatStore, 'freezes'>) {
  const frozen: { -readonly [Field in keyof Frozen]: Frozen[Field] } = {
    hub: false,
    agents: new Set(),
  };
  let version: string | null = null;
  let reading: Promise<void> | null = null;

  async function read(): Promise<void> {
    const freezes = await store.freezes();
    frozen.hub = freezes.hub;
    frozen.agents = new Set(freezes.agents);
    ({ version } = freezes);
  }

  /**
   * Reads what is committed now. A running read may have missed the newest commit, so this waits
   * for that read first.
   */
  async function refresh(): Promise<void> {
    await reading?.catch(() => undefined);
    reading ??= read().finally(() => (reading = null));
    await reading;
  }

  await read();
  return {
    frozen: frozen as Frozen,
    refresh,
    /**
     * Takes the version that the store has now. Rejects when the freezes of this version could not
     * be read.
     */
    async check(current: string): Promise<void> {
      if (current !== version) await refresh();
    },
  };
}

export type Freezes = Awaited<ReturnType<typeof createFreezes>>;

/**
 * The global event of a freeze for clients that must not see the reason; null for any other event.
 */
export function freezeWithoutReason({ json }: EncodedEnvelope): EncodedEnvelope | null {
  const envelope = decodeEnvelope(json)?.envelope;
  if (envelope?.event.type !== 'collaboration.event' || !isFreezeEvent(envelope.event.name)) {
    return null;
  }
  const { event } = envelope;
  return encodeEnvelope({
    ...envelope,
    event: { ...event, payload: { ...event.payload, reason: null } },
  });
}
