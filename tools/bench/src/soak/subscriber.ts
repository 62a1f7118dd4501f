import { setTimeout as delay } from 'node:timers/promises';
import { createClient, HubError, type Envelope, type HubClient } from '@openclaw/client';
import type { Ledger } from '@openclaw/test-support';
import { settleMs } from './offline-suspicions.ts';
import type { PresenceWatch } from './presence-watch.ts';
import type { Random } from './random.ts';
import type { Recovery } from './recovery.ts';
import { createRoamingSocket } from './roaming-socket.ts';
import type { Violations } from './violations.ts';
import { createWireTap } from './wire-tap.ts';

export interface Records {
  readonly ledger: Ledger;
  readonly presence: PresenceWatch;
  readonly recovery: Recovery;
  readonly violations: Violations;
}

export interface HubAddress {
  readonly name: string;
  readonly port: number;
}

/** When its connection is lost, the subscriber connects to another hub. */
export interface Subscriber {
  /** `{agentId}/{n}`. The soak's records name the subscriber by it. */
  readonly name: string;
  readonly agentId: string;
  readonly client: HubClient;
  follow(channelId: string, last: number): Promise<void>;
  /**
   * Breaks the connection and returns to the first hub, so that every hub has clients. Does nothing at the first hub.
   */
  returnHome(): void;
  close(): Promise<void>;
}

export interface SubscriberOptions {
  readonly agentId: string;
  readonly number: number;
  readonly addresses: readonly HubAddress[];
  readonly homeIndex: number;
  readonly random: Random;
}

export function createSubscriber(options: SubscriberOptions, records: Records): Subscriber {
  const { agentId, addresses, random } = options;
  const { ledger, presence, recovery, violations } = records;
  const name = `${agentId}/${options.number}`;
  const followed = new Set<string>();
  let hubIndex = options.homeIndex;
  let isReturning = true;
  let terminate = () => {};
  let liveSinceMs = Infinity;
  let isClosing = false;
  const tap = createWireTap(
    (kind, text) => violations.add(kind, `${name}: ${text}`),
    (channelId) => presence.connections.subscribed(agentId, name, channelId),
  );

  const client = createClient({
    url: 'ws://127.0.0.1',
    agent: agentId,
    backoffMinMs: 100,
    backoffMaxMs: 2_000,
    connectTimeoutMs: 3_000,
    random: () => random.next(),
    webSocket: createRoamingSocket({
      pickPort() {
        // The hub of the lost connection may be down. So another one is chosen, unless the subscriber returns home.
        if (isReturning) hubIndex = options.homeIndex;
        else hubIndex = (hubIndex + random.between(1, addresses.length - 1)) % addresses.length;
        isReturning = false;
        return addresses[hubIndex]?.port ?? 0;
      },
      onOpened(breakIt) {
        terminate = breakIt;
        tap.opened();
      },
      onSent: (text) => tap.sent(text),
    }),
    parseFrame(text) {
      const frame: unknown = JSON.parse(text);
      tap.received(frame);
      return frame;
    },
  });

  client.on('state', ({ state, error }) => {
    if (state === 'live') {
      liveSinceMs = Date.now();
      presence.connections.live(agentId, name, addresses[hubIndex]?.name ?? '?');
      presence.begins(name);
      void refreshPresence();
      return;
    }
    if (liveSinceMs < Infinity) presence.connections.lost(agentId, name, isClosing);
    liveSinceMs = Infinity;
    presence.ends(name);
    if (state === 'closed' && !isClosing)
      violations.add('given up', `${name} closed: ${error?.message ?? 'without a reason'}`);
  });
  client.on('event', (envelope) => {
    const { event, seq, timestamp, channelId } = envelope;
    if (seq !== null) {
      ledger.delivered(name, envelope);
      recovery.onDelivered(Date.now() - timestamp, liveSinceMs <= timestamp);
    } else if (event.type === 'channel.presence' && followed.has(channelId ?? '')) {
      presence.onEvent(name, event.channelId, event.presences, timestamp);
    }
  });
  client.on('discontinuity', (what) => ledger.discontinuity(name, what));

  /** Lists presence after each connection, as an application does. */
  async function refreshPresence() {
    const sinceMs = liveSinceMs;
    await delay(settleMs);
    for (const channelId of followed) {
      if (liveSinceMs !== sinceMs) return;
      const askedMs = Date.now();
      try {
        const page = await client.channel(channelId).presence({ limit: 200 });
        if (page.degraded || liveSinceMs !== sinceMs) continue;
        const agentIds = page.presences.map((record) => record.agentId);
        presence.onList(name, channelId, agentIds, askedMs);
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
        ledger.sends.erred(`presence.list ${error.code}`);
      }
    }
  }

  return {
    name,
    agentId,
    client,
    async follow(channelId, last) {
      ledger.follows(name, channelId, last);
      followed.add(channelId);
      await client.channel(channelId).subscribe({ since: last });
    },
    returnHome() {
      if (hubIndex === options.homeIndex || liveSinceMs === Infinity) return;
      isReturning = true;
      terminate();
    },
    async close() {
      isClosing = true;
      ledger.leaves(name);
      await client.close();
    },
  };
}

export function messageIdOf({ event }: Pick<Envelope, 'event'>): string | null {
  if ('message' in event) return event.message.id;
  return 'messageId' in event ? event.messageId : null;
}
