import { setTimeout as delay } from 'node:timers/promises';
import { createClient, HubError, type HubClient, type InboxItem } from '@openclaw/client';
import type { Envelope } from '@openclaw/protocol';
import { errandKey, judgeErrands, type ErrandTotals } from './errand-log.ts';
import type { Random } from './random.ts';
import { createRoamingSocket } from './roaming-socket.ts';
import type { HubAddress } from './subscriber.ts';
import type { Violations } from './violations.ts';

/**
 * One agent sends asks to three workers. Each worker takes its asks from its inbox. It ignores an ask, declines it, or
 * answers it with a claim and a stream. Now and then a worker crashes.
 */
export interface Errands {
  readonly crashes: number;
  /** Asks no more. Resolves when every deadline has passed and every inbox is empty, or after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
  settle(log: readonly Envelope[]): ErrandTotals;
  close(): Promise<void>;
}

export const errandChannelId = 'errands';
const asker = 'dispatcher';
const workerIds = ['porter', 'runner', 'clerk'];
const askEveryMs = 900;
const deadlineMs = [2_000, 5_000] as const;
const leaseMs = [1_000, 3_000] as const;
const setUpTimeoutMs = 30_000;
const retryMs = 500;
/** Longer than the 2 s within which the hub expires an ask after its deadline. */
const expiryGraceMs = 4_000;
const pieces = 12;
const crashChance = 0.05;

interface Worker {
  run(client: HubClient): Promise<void>;
  isIdle(): boolean;
}

type Plan = 'ignore' | 'decline' | 'answer' | 'dawdle';

export async function startErrands(
  addresses: readonly HubAddress[],
  random: Random,
  violations: Violations,
): Promise<Errands> {
  const seen = new Map(workerIds.map((agentId) => [agentId, new Set<string>()] as const));
  const asked = new Map<string, readonly string[]>();
  const finished = new Map<string, string>();
  const stopped = new AbortController();
  const closed = new AbortController();
  let crashes = 0;
  let lastDeadlineMs = 0;

  function connect(agentId: string, own: Random): HubClient {
    let hub = own.between(0, addresses.length - 1);
    const pickPort = () => addresses[(hub += 1) % addresses.length]?.port ?? 0;
    return createClient({
      url: 'ws://127.0.0.1',
      agent: agentId,
      ...{ backoffMinMs: 100, backoffMaxMs: 2_000, connectTimeoutMs: 3_000 },
      random: () => own.next(),
      webSocket: createRoamingSocket({
        pickPort,
        onOpened: () => undefined,
        onSent: () => undefined,
      }),
    });
  }

  async function ask(client: HubClient, own: Random) {
    const to = own.shuffle(workerIds).slice(0, own.between(1, workerIds.length));
    const deadline = own.between(...deadlineMs);
    const more = { metadata: { [errandKey]: { to } } };
    try {
      const { askId } = await client.channel(errandChannelId).ask(to, 'an errand', deadline, more);
      asked.set(askId, to);
    } catch (error) {
      // A call without an answer may have been stored; the log shows it.
      if (!(error instanceof HubError)) throw error;
    }
    lastDeadlineMs = Date.now() + deadline;
  }

  async function runAsker(client: HubClient, own: Random) {
    while (!stopped.signal.aborted) {
      await ask(client, own);
      await pause(askEveryMs, stopped.signal);
    }
  }

  /** Connects a new client after each crash, like an agent that is restarted. */
  async function runWorker(worker: Worker, agentId: string, own: Random) {
    while (!closed.signal.aborted) {
      const client = connect(agentId, own);
      const end = () => void client.close();
      closed.signal.addEventListener('abort', end);
      try {
        await worker.run(client);
        crashes += 1;
      } catch (error) {
        // The next client gets the unacknowledged asks again.
        if (!(error instanceof HubError)) throw error;
        await pause(retryMs, closed.signal);
      } finally {
        closed.signal.removeEventListener('abort', end);
        await client.close();
      }
    }
  }

  function createWorker(agentId: string, own: Random): Worker {
    const plans = new Map<string, Plan>();
    const fences = new Map<string, number>();
    const acked = new Set<string>();
    /** This client got these asks since its last acknowledgment. */
    const unacked = new Set<string>();
    /** The asks with an answer that has begun and not ended. */
    const growing = new Set<string>();
    let isBusy = false;

    async function answer(client: HubClient, askId: string, plan: Plan) {
      const channel = client.channel(errandChannelId);
      let fence = fences.get(askId);
      if (fence === undefined) {
        const lease = own.between(...leaseMs);
        const claim = await channel.claim(askId, lease).catch(orNull);
        if (!claim) return void (await client.declineAsk(askId).catch(orNull));
        fence = claim.fence;
        // The pause is longer than the claim, so that another worker may take over.
        if (plan === 'dawdle') await pause(lease * 1.2, closed.signal);
      }
      const text = Array.from({ length: pieces }, (_, n) => `${agentId} ${askId} part ${n}; `);
      fences.set(askId, fence);
      const stream = await channel
        .stream({
          threadId: askId,
          fence,
          clientMessageId: `${agentId}-${askId}`,
          metadata: { [errandKey]: { fence } },
        })
        .catch(orNull);
      // Another worker was granted the thread.
      if (!stream) return;
      growing.add(askId);
      for (const piece of text) {
        stream.append(piece);
        await pause(20, closed.signal);
        if (own.next() < crashChance / pieces) throw new Crash();
      }
      const end = await stream.finish().catch(orNull);
      if (end) finished.set(stream.messageId, text.join(''));
      growing.delete(askId);
      await client.finishAsk(askId).catch(orNull);
      if (own.next() < 0.5) await channel.releaseClaim(askId).catch(orNull);
    }

    async function handle(client: HubClient, { askId, reason }: InboxItem) {
      if (askId === null || reason !== 'ask') return;
      seen.get(agentId)?.add(askId);
      if (acked.has(askId))
        violations.add('inbox after ack', `${askId} came to ${agentId} after it was acknowledged`);
      unacked.add(askId);
      const plan =
        plans.get(askId) ??
        own.pick<Plan>(['ignore', 'decline', 'answer', 'answer', 'answer', 'dawdle']);
      plans.set(askId, plan);
      if (plan === 'decline') await client.declineAsk(askId).catch(orNull);
      else if (plan !== 'ignore') await answer(client, askId, plan);
    }

    return {
      /** Returns when the worker crashed. Rejects with a HubError when the client cannot go on. */
      async run(client: HubClient) {
        const inbox = client.inbox();
        unacked.clear();
        try {
          for await (const item of inbox) {
            isBusy = true;
            await handle(client, item).finally(() => (isBusy = false));
            if (own.next() < crashChance) return;
            // Skips some acknowledgments, so that a later acknowledgment covers several asks.
            if (own.next() < 0.3) continue;
            const covered = [...unacked];
            await inbox.ack();
            for (const askId of covered) acked.add(askId);
            unacked.clear();
          }
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
      },
      isIdle: () => !isBusy && growing.size === 0,
    };
  }

  const askerClient = connect(asker, random.fork(asker));
  await askerClient.ready({ signal: AbortSignal.timeout(setUpTimeoutMs) });
  const channel = askerClient.channel(errandChannelId);
  // A busy machine answers late, and a repeat of these calls changes nothing.
  await untilAnswered(async () => {
    await askerClient
      .createChannel({ channelId: errandChannelId, name: errandChannelId })
      .catch(orNull);
    for (const agentId of workerIds) await channel.addMember(agentId);
  });
  const asking = runAsker(askerClient, random.fork('asks'));
  const workers = workerIds.map((agentId) => createWorker(agentId, random.fork(agentId)));
  const working = workers.map((worker, at) => {
    const agentId = workerIds[at] as string;
    return runWorker(worker, agentId, random.fork(`${agentId} connects`));
  });

  return {
    get crashes() {
      return crashes;
    },
    async stop(timeoutMs) {
      stopped.abort();
      await asking;
      const endMs = Math.max(Date.now() + timeoutMs, lastDeadlineMs + expiryGraceMs);
      await pause(lastDeadlineMs + expiryGraceMs - Date.now(), closed.signal);
      while (Date.now() < endMs && !isEmpty()) await delay(retryMs);
    },
    settle: (log) =>
      judgeErrands(log, { seen, finished }, (kind, text, atMs) => violations.add(kind, text, atMs)),
    async close() {
      stopped.abort();
      closed.abort();
      await askerClient.close();
      await Promise.all([asking, ...working]);
    },
  };

  /** True when every ask has come to its addressees, and no worker is busy. */
  function isEmpty(): boolean {
    const wasSeen = ([askId, to]: readonly [string, readonly string[]]) =>
      to.every((agentId) => seen.get(agentId)?.has(askId));
    return [...asked].every(wasSeen) && workers.every((worker) => worker.isIdle());
  }
}

class Crash extends Error {}

/** Another worker, a deadline or an earlier crash explains these refusals. */
function orNull(error: unknown): null {
  if (error instanceof HubError && error.code === 'conflict') return null;
  throw error;
}

async function untilAnswered(work: () => Promise<void>): Promise<void> {
  const endMs = Date.now() + setUpTimeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isLate = error instanceof HubError && error.code === 'unavailable';
      if (!isLate || Date.now() > endMs) throw error;
      await delay(retryMs);
    }
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
