import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '@openclaw/client';
import { metadataKey, type Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Seat } from './seat.ts';

/** A send that was acknowledged. */
export interface Sent {
  readonly clientMessageId: string;
  readonly content: string;
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
}

/** Where a send goes. */
export type Target = { readonly channelId: string } | { readonly agentId: string };

/** Sends, and tries again with the same id until it is acknowledged or was tried often enough. */
export interface Sender {
  /** Settles when the outcome is in the ledger; never rejects for a refusal. */
  send(seat: Seat, target: Target, content: string): Promise<void>;
  /** The same send once more, as after a lost answer. */
  repeat(seat: Seat, sent: Sent): Promise<void>;
  /** One of the last that the seat's agent sent to a channel; undefined when none comes to hand. */
  recent(seat: Seat): Sent | undefined;
  /** As `recent`, and never again. */
  takeRecent(seat: Seat): Sent | undefined;
}

const attempts = 6;
const retryMs = 500;
const recentMax = 50;
/** Trying again with these changes nothing. */
const finalCodes: ReadonlySet<string> = new Set(['invalid', 'forbidden', 'not_found', 'closed']);

/** The code of a refusal; anything else is a mistake of ours and is thrown on. */
export function codeOf(error: unknown): string {
  if (error instanceof HubError) return error.code;
  throw error;
}

/** `seatsOf` names an agent's connections: a repeat may come by another, to another hub. */
export function createSender(
  ledger: Ledger,
  random: Random,
  seatsOf: (agentId: string) => readonly Seat[],
): Sender {
  const recents = new Map<string, Sent[]>();
  let lastId = 0;

  async function call({ client }: Seat, target: Target, content: string, clientMessageId: string) {
    const params = { content, clientMessageId, metadata: { [metadataKey]: clientMessageId } };
    const result =
      'agentId' in target
        ? await client.call('direct.send', { ...target, ...params })
        : { ...target, ...(await client.call('message.send', { ...target, ...params })) };
    ledger.sends.acked(clientMessageId, result);
    return { clientMessageId, content, ...result };
  }

  function recent(seat: Seat, isTaken: boolean): Sent | undefined {
    const list = recents.get(seat.agentId) ?? [];
    const place = random.between(0, Math.max(0, list.length - 1));
    if (isTaken) recents.set(seat.agentId, list.toSpliced(place, 1));
    return list[place];
  }

  return {
    async send(seat, target, content) {
      const clientMessageId = `soak-${(lastId += 1)}`;
      ledger.sends.sending(clientMessageId);
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        try {
          const by = attempt === 0 ? seat : random.pick(seatsOf(seat.agentId));
          const sent = await call(by, target, content, clientMessageId);
          if ('agentId' in target) return;
          const list = recents.get(seat.agentId) ?? [];
          recents.set(seat.agentId, [...list.slice(1 - recentMax), sent]);
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
    async repeat(seat, { channelId, content, clientMessageId }) {
      await call(seat, { channelId }, content, clientMessageId);
    },
    recent: (seat) => recent(seat, false),
    takeRecent: (seat) => recent(seat, true),
  };
}
