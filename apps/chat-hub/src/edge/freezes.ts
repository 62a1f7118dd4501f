import type { ChatStore } from '@openclaw/chat-store';
import {
  decodeEnvelope,
  encodeEnvelope,
  isFreezeEvent,
  type EncodedEnvelope,
} from '@openclaw/protocol';

/** Frozen channels are not listed here, because the store checks them. */
export interface Frozen {
  readonly hub: boolean;
  readonly agents: ReadonlySet<string>;
}

/**
 * Keeps the freezes in memory, because every write needs them. The hub reads them again when Redis announces a change,
 * or else at the next tail check, within half a second.
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

  /** Waits for a running read first, because that read may have missed the newest commit. */
  async function refresh(): Promise<void> {
    await reading?.catch(() => undefined);
    reading ??= read().finally(() => (reading = null));
    await reading;
  }

  await read();
  return {
    frozen: frozen as Frozen,
    refresh,
    async check(current: string): Promise<void> {
      if (current !== version) await refresh();
    },
  };
}

export type Freezes = Awaited<ReturnType<typeof createFreezes>>;

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
