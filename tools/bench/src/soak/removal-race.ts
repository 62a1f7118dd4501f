import { setTimeout as delay } from 'node:timers/promises';
import type { Envelope, Message } from '@openclaw/protocol';
import { connectRpc, type RpcSocket } from '@openclaw/test-support';
import type { Violations } from './violations.ts';

/**
 * An agent is added to a private channel and removed again while it reads the channel by every method. The agent must
 * not get an event from a time when it was not a member.
 */
export interface RemovalRace {
  readonly answers: number;
  stop(): Promise<void>;
  settle(log: readonly Envelope[]): void;
}

export const raceChannelId = 'vault';
const owner = 'warden';
const reader = 'suspect';
const iterationPauseMs = 200;
const retryMs = 1_000;
const readsAtOnce = 4;
/** This time is longer than any fault. A call that is unanswered after this time will never be answered. */
const answerMs = 60_000;

type ReadMethod = 'log.read' | 'message.history' | 'REST';

/** Connects directly to the hubs' `ports`, which no network fault affects. */
export function startRemovalRace(ports: readonly number[], violations: Violations): RemovalRace {
  /** Maps each answer's highest seq to the first read that returned it. */
  const seen = new Map<number, { readonly method: ReadMethod; readonly atMs: number }>();
  let answers = 0;
  let isStopped = false;
  let iteration = 0;
  let lastSeq = 0;

  function note(method: ReadMethod, seq: number) {
    if (seq === 0) return;
    answers += 1;
    if (!seen.has(seq)) seen.set(seq, { method: method, atMs: Date.now() });
    lastSeq = Math.max(lastSeq, seq);
  }

  /** An unanswered call is a violation, and must not block the race. */
  async function call(socket: RpcSocket, method: string, params: object): Promise<unknown> {
    const answered = new AbortController();
    const late = delay(answerMs, undefined, { ref: false, signal: answered.signal }).then(() => {
      if (socket.ws.readyState === socket.ws.OPEN)
        violations.add('unanswered', `${method} in ${raceChannelId} over an open socket`);
      socket.ws.terminate();
      throw new Error(`${method} was not answered`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([socket.call(method, params), late]);
    } finally {
      answered.abort();
    }
  }

  const readers: Record<ReadMethod, (socket: RpcSocket, port: number) => Promise<void>> = {
    async 'log.read'(socket) {
      const params = { channelId: raceChannelId, after: Math.max(0, lastSeq - 5), limit: 1000 };
      const page = (await call(socket, 'log.read', params)) as { events: Envelope[]; head: number };
      note('log.read', Math.max(page.head, page.events.at(-1)?.seq ?? 0));
    },
    async 'message.history'(socket) {
      const page = (await call(socket, 'message.history', { channelId: raceChannelId })) as {
        messages: Message[];
        head: number;
      };
      note('message.history', Math.max(page.head, page.messages.at(-1)?.seq ?? 0));
    },
    async REST(_socket, port) {
      const url = `http://127.0.0.1:${port}/v1/channels/${raceChannelId}/messages?agent=${reader}`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const page = (await response.json()) as { messages?: Message[]; head?: number };
      if (page.messages) note('REST', Math.max(page.head ?? 0, page.messages.at(-1)?.seq ?? 0));
    },
  };

  async function connect(port: number, agentId: string): Promise<RpcSocket> {
    return connectRpc(`ws://127.0.0.1:${port}/v1/ws?agent=${agentId}`, { timeoutMs: 5_000 });
  }

  /** Most reads are refused, because the agent is rarely a member. */
  async function readOn(socket: RpcSocket, port: number, index: number, isOver: () => boolean) {
    const names = Object.keys(readers) as ReadMethod[];
    for (let turn = index; !isOver(); turn += 1) {
      await readers[names[turn % names.length] as ReadMethod](socket, port).catch(() => undefined);
      if (socket.ws.readyState !== socket.ws.OPEN) return;
    }
  }

  async function race(): Promise<void> {
    const [ownerPort, readerPort] = [
      ports[iteration % ports.length],
      ports[(iteration + 1) % ports.length],
    ];
    iteration += 1;
    const warden = await connect(ownerPort as number, owner);
    try {
      const suspect = await connect(readerPort as number, reader);
      try {
        const at = { channelId: raceChannelId };
        await call(warden, 'channel.create', { ...at, name: 'Vault', kind: 'private' }).catch(
          () => undefined,
        );
        for (let turn = 0; turn < 20 && !isStopped; turn += 1) {
          await call(warden, 'member.add', { ...at, agentId: reader });
          let isOver = false;
          const reads = Array.from({ length: readsAtOnce }, (_, index) =>
            readOn(suspect, readerPort as number, index, () => isOver),
          );
          try {
            await call(warden, 'message.send', { ...at, content: 'for members' });
            await call(warden, 'member.remove', { ...at, agentId: reader });
            for (let i = 0; i < 5; i += 1)
              await call(warden, 'message.send', { ...at, content: 'for those who stayed' });
          } finally {
            isOver = true;
          }
          await Promise.all(reads);
          await delay(iterationPauseMs);
        }
      } finally {
        suspect.ws.terminate();
      }
    } finally {
      warden.ws.terminate();
    }
  }

  const running = (async () => {
    while (!isStopped) {
      // The hub may be down, so the race continues at the others.
      await race().catch(() => delay(retryMs));
    }
  })();

  return {
    get answers() {
      return answers;
    },
    async stop() {
      isStopped = true;
      await running;
    },
    settle(log) {
      for (const seq of seqsOutside(log, seen.keys())) {
        const { method: way, atMs } = seen.get(seq) ?? {};
        const text = `${reader} was answered seq ${seq} of ${raceChannelId} by ${way}, committed while it was no member`;
        violations.add('read after removal', text, atMs);
      }
    },
  };
}

/** Returns the seqs from times when the reader was not a member. The reader may still read the removal itself. */
export function seqsOutside(log: readonly Envelope[], seqs: Iterable<number>): number[] {
  const isInside: boolean[] = [];
  let isMember = false;
  for (const { seq, event } of log) {
    const isLeave = event.type === 'channel.member.leave' && event.member.agentId === reader;
    if (event.type === 'channel.member.join' && event.member.agentId === reader) isMember = true;
    isInside[seq ?? 0] = isMember;
    if (isLeave) isMember = false;
  }
  return [...seqs].filter((seq) => isInside[seq] !== true).sort((a, b) => a - b);
}
