import { setTimeout as delay } from 'node:timers/promises';
import { HubError } from '@openclaw/client';
import type { Fleet } from './fleet.ts';
import { metadataKey } from './ledger.ts';
import type { Random } from './random.ts';
import type { Books, Seat } from './seat.ts';

/** What the agents do. */
export interface Workload {
  /** Due but not begun, because too much was unanswered. */
  readonly skipped: number;
  /** Nothing new begins; resolves when all has its answer, or `timeoutMs` later. */
  stop(timeoutMs: number): Promise<void>;
}

/** How much they do. */
export interface WorkloadOptions {
  /** Operations a second. */
  readonly rate: number;
  /** How often a guest comes. */
  readonly guestEveryMs: number;
  /** How long a guest stays. */
  readonly guestStayMs: readonly [min: number, max: number];
  /** How many guests come in all. @default unlimited */
  readonly guests?: number;
}

const tickMs = 5;
const unansweredMax = 5_000;
const sendAttempts = 6;
const retryMs = 500;
const recentMax = 50;
const emojis = ['👍', '🎉', '🚀', '👀', '✅'];
const statuses = ['online', 'away', 'dnd'] as const;
/** Trying again with these changes nothing. */
const finalCodes: ReadonlySet<string> = new Set(['invalid', 'forbidden', 'not_found', 'closed']);

interface Sent {
  readonly cmid: string;
  readonly content: string;
  readonly channelId: string;
  readonly messageId: string;
  readonly seq: number;
}

/** Begins at once, each operation when it is due, whatever became of those before. */
export function startWorkload(
  fleet: Fleet,
  random: Random,
  { ledger }: Books,
  options: WorkloadOptions,
): Workload {
  const startMs = Date.now();
  const recent = new Map<string, Sent[]>();
  const running = new Set<Promise<void>>();
  const stopped = new AbortController();
  let begun = 0;
  let skipped = 0;
  let lastCmid = 0;
  let guests = 0;
  let nextGuestMs = startMs + options.guestEveryMs;

  function codeOf(error: unknown): string {
    if (error instanceof HubError) return error.code;
    throw error;
  }

  /** Runs it; a refusal is counted, anything else is a mistake of ours and ends the process. */
  function run(what: string, work: () => Promise<void>) {
    const done = work()
      .catch((error: unknown) => ledger.sends.erred(`${what} ${codeOf(error)}`))
      .finally(() => running.delete(done));
    running.add(done);
  }

  async function send(seat: Seat, make: (by: Seat, cmid: string) => Promise<Omit<Sent, 'cmid'>>) {
    const cmid = `soak-${(lastCmid += 1)}`;
    ledger.sends.sending(cmid);
    for (let attempt = 0; attempt < sendAttempts; attempt += 1) {
      try {
        // A repeat may come by another connection of the agent, to another hub.
        const by = attempt === 0 ? seat : random.pick(fleet.seatsOf(seat.agentId));
        const sent = { ...(await make(by, cmid)), cmid };
        const list = recent.get(seat.agentId) ?? [];
        recent.set(seat.agentId, [...list.slice(1 - recentMax), sent]);
        return;
      } catch (error) {
        const code = codeOf(error);
        ledger.sends.erred(`send ${code}`);
        if (finalCodes.has(code)) break;
        await delay(retryMs);
      }
    }
    ledger.sends.failed(cmid);
  }

  async function sendTo(by: Seat, channelId: string, content: string, cmid: string) {
    const metadata = { [metadataKey]: cmid };
    const result = await by.client
      .channel(channelId)
      .send(content, { clientMessageId: cmid, metadata });
    ledger.sends.acked(cmid, { ...result, channelId });
    return { content, channelId, messageId: result.messageId, seq: result.seq };
  }

  async function sendDirect(by: Seat, agentId: string, content: string, cmid: string) {
    const metadata = { [metadataKey]: cmid };
    const params = { agentId, content, clientMessageId: cmid, metadata };
    const result = await by.client.call('direct.send', params);
    ledger.sends.acked(cmid, result);
    return { content, ...result };
  }

  const takeRecent = (seat: Seat, removes: boolean): Sent | undefined => {
    const list = recent.get(seat.agentId) ?? [];
    const place = random.between(0, Math.max(0, list.length - 1));
    const sent = list[place];
    if (removes && sent) recent.set(seat.agentId, list.toSpliced(place, 1));
    return sent?.channelId.startsWith('dm_') ? undefined : sent;
  };

  const operations: readonly (readonly [weight: number, act: (seat: Seat) => void])[] = [
    [
      80,
      (seat) => {
        const channelId = random.pick(fleet.channelIds);
        const content = `${seat.name} reports ${begun}`;
        run('send', () => send(seat, (by, cmid) => sendTo(by, channelId, content, cmid)));
      },
    ],
    [
      5,
      () => {
        const pair = random.shuffle(random.pick(fleet.pairs));
        const [from, to] = [pair[0] as string, pair[1] as string];
        const seat = random.pick(fleet.seatsOf(from));
        const content = `${from} tells ${to} ${begun}`;
        run('send', () => send(seat, (by, cmid) => sendDirect(by, to, content, cmid)));
      },
    ],
    [
      // The same send once more, as after a lost answer: it must be known.
      2,
      (seat) => {
        const sent = takeRecent(seat, false);
        if (sent)
          run(
            'repeat',
            async () => void (await sendTo(seat, sent.channelId, sent.content, sent.cmid)),
          );
      },
    ],
    [
      4,
      (seat) => {
        const sent = takeRecent(seat, false);
        if (!sent) return;
        const { channelId, messageId } = sent;
        const content = `${sent.content}, corrected ${begun}`;
        run('edit', async () => {
          const { seq } = await seat.client.channel(channelId).edit(messageId, content);
          if (seq !== null)
            ledger.sends.changed('channel.message.edit', { channelId, messageId, seq });
        });
      },
    ],
    [
      1,
      (seat) => {
        const sent = takeRecent(seat, true);
        if (!sent) return;
        const { channelId, messageId } = sent;
        run('delete', async () => {
          const { seq } = await seat.client.channel(channelId).delete(messageId);
          if (seq !== null)
            ledger.sends.changed('channel.message.delete', { channelId, messageId, seq });
        });
      },
    ],
    [
      5,
      (seat) => {
        const sent = takeRecent(random.pick(fleet.seats), false);
        if (!sent) return;
        const { channelId, messageId } = sent;
        run('react', async () => {
          const { seq } = await seat.client
            .channel(channelId)
            .react(messageId, random.pick(emojis));
          if (seq !== null)
            ledger.sends.changed('channel.reaction.add', { channelId, messageId, seq });
        });
      },
    ],
    [
      2,
      (seat) => {
        const channel = seat.client.channel(random.pick(fleet.channelIds));
        run('typing', async () => void (await channel.startTyping()));
      },
    ],
    [
      1,
      (seat) => {
        const params = { status: random.pick(statuses), customStatus: `busy with ${begun}` };
        run('presence', async () => void (await seat.client.call('presence.set', params)));
      },
    ],
  ];
  const weights = operations.reduce((sum, [weight]) => sum + weight, 0);

  function operate() {
    let at = random.next() * weights;
    const [, act] = operations.find(([weight]) => (at -= weight) < 0) ?? [0, () => undefined];
    act(random.pick(fleet.seats));
  }

  async function visit() {
    const leave = await fleet.invite();
    await delay(random.between(...options.guestStayMs), undefined, {
      signal: stopped.signal,
    }).catch(() => undefined);
    await leave();
  }

  const timer = setInterval(() => {
    const nowMs = Date.now();
    const due = Math.floor(((nowMs - startMs) / 1000) * options.rate);
    for (; begun < due; begun += 1) {
      if (running.size < unansweredMax) operate();
      else skipped += 1;
    }
    if (nowMs >= nextGuestMs && guests < (options.guests ?? Infinity)) {
      guests += 1;
      nextGuestMs = nowMs + options.guestEveryMs;
      run('visit', visit);
    }
  }, tickMs);

  return {
    get skipped() {
      return skipped;
    },
    async stop(timeoutMs) {
      clearInterval(timer);
      stopped.abort();
      const endMs = Date.now() + timeoutMs;
      while (running.size > 0 && Date.now() < endMs) await delay(20);
    },
  };
}
