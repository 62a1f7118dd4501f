import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '@openclaw/client';
import type { Ledger } from '@openclaw/test-support';
import type { Random } from './random.ts';
import type { Subscriber } from './subscriber.ts';

export interface Sent {
  readonly clientMessageId: string;
  readonly content: string;
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
}

export type Target = { readonly channelId: string } | { readonly agentId: string };

/** Retries have the same clientMessageId. */
export interface Sender {
  /** Resolves when the ledger has the outcome. Does not reject when the hub refuses. */
  send(subscriber: Subscriber, target: Target, content: string): Promise<void>;
  repeat(subscriber: Subscriber, sent: Sent): Promise<void>;
  /** Returns one of the agent's last sends to a channel, chosen at random; undefined if there are none. */
  recent(subscriber: Subscriber): Sent | undefined;
  /** Works as `recent`, and removes the message from the list. */
  takeRecent(subscriber: Subscriber): Sent | undefined;
}

/** The metadata of a message repeats its clientMessageId under this key, where the report looks for it. */
export const metadataKey = 'soak';

const attempts = 6;
const retryMs = 500;
const recentMax = 50;
const finalCodes: ReadonlySet<string> = new Set(['invalid', 'forbidden', 'not_found', 'closed']);

/** Rethrows an error that is no refusal, because it is a bug here. */
export function codeOf(error: unknown): string {
  if (error instanceof HubError) return error.code;
  throw error;
}

/** `subscribersOf` returns an agent's connections. A retry may use another connection, at another hub. */
export function createSender(
  ledger: Ledger,
  random: Random,
  subscribersOf: (agentId: string) => readonly Subscriber[],
): Sender {
  const recents = new Map<string, Sent[]>();
  let lastId = 0;

  async function call(
    { client }: Subscriber,
    target: Target,
    content: string,
    clientMessageId: string,
  ) {
    const params = { content, clientMessageId, metadata: { [metadataKey]: clientMessageId } };
    const result =
      'agentId' in target
        ? await client.call('direct.send', { ...target, ...params })
        : { ...target, ...(await client.call('message.send', { ...target, ...params })) };
    ledger.sends.acked(clientMessageId, result);
    return { clientMessageId, content, ...result };
  }

  function recent(subscriber: Subscriber, isTaken: boolean): Sent | undefined {
    const list = recents.get(subscriber.agentId) ?? [];
    const place = random.between(0, Math.max(0, list.length - 1));
    if (isTaken) recents.set(subscriber.agentId, list.toSpliced(place, 1));
    return list[place];
  }

  return {
    async send(subscriber, target, content) {
      const clientMessageId = `soak-${(lastId += 1)}`;
      ledger.sends.sending(clientMessageId);
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        try {
          const by = attempt === 0 ? subscriber : random.pick(subscribersOf(subscriber.agentId));
          const sent = await call(by, target, content, clientMessageId);
          if ('agentId' in target) return;
          const list = recents.get(subscriber.agentId) ?? [];
          recents.set(subscriber.agentId, [...list.slice(1 - recentMax), sent]);
          return;
        } catch (error) {
          const code = codeOf(error);
          ledger.sends.erred(`send ${code}`);
          if (finalCodes.has(code)) break;
          await delay(retryMs);
        }
      }
      ledger.sends.failed(clientMessageId);
    },
    async repeat(subscriber, { channelId, content, clientMessageId }) {
      await call(subscriber, { channelId }, content, clientMessageId);
    },
    recent: (subscriber) => recent(subscriber, false),
    takeRecent: (subscriber) => recent(subscriber, true),
  };
}
