import { setTimeout as delay } from 'node:timers/promises';
import { HubError, type InboxItem } from '@openclaw/client';
import { isDirectChannelId } from '@openclaw/protocol';
import type { DemoAgent } from './agent.ts';
import { demoChannels, type DemoChannel } from './channels.ts';
import type { Fleet } from './fleet.ts';
import type { Pace } from './pace.ts';
import type { Randomness } from './randomness.ts';
import { repeatUntilAborted } from './repeat.ts';
import { chooseReply } from './replies.ts';

export interface Errands {
  readonly done: number;
  close(): Promise<void>;
}

export interface ErrandDeps {
  readonly fleet: Fleet;
  readonly random: Randomness;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const askEveryMs = 12_000;
const deadlineMs = 60_000;
const leaseMs = 60_000;
const minPauseMs = 2_000;
const wordMs = 60;
const model = 'canned-1';
const tokenMicros = 3;

const errandTexts = [
  'Can one of you look at the flaky retry test?',
  'Who can check the latency of the last release?',
  'Please write two lines for the changelog.',
  'Is the design of the new token page good enough to build?',
  'Does the database need another index for search?',
];

export function startErrands({ fleet, random, pace, signal, onError }: ErrandDeps): Errands {
  let done = 0;

  async function answer(agent: DemoAgent, item: InboxItem): Promise<void> {
    const { channelId, askId, message, seq } = item;
    if (askId === null || !message) return;
    const channel = agent.client.channel(channelId);
    const threadId = message.threadId ?? askId;
    const claim = await channel.claim(threadId, leaseMs).catch(orNull);
    const once = { clientMessageId: `answer-${askId}`, fence: claim?.fence ?? null, basedOn: seq };
    const stream =
      claim && (await channel.stream({ threadId, replyTo: askId, ...once }).catch(orNull));
    if (!stream) {
      await agent.client.declineAsk(askId, 'a colleague answers').catch(orNull);
      return;
    }
    const startMs = Date.now();
    const { text } = chooseReply(message.content, random);
    const words = text.split(/(?<= )/);
    const show = (state: 'streaming' | 'idle') => channel.setTurn({ threadId, state });
    await show('streaming').catch(onError);
    for (const word of words) {
      stream.append(word);
      if (pace.gapMs() > 0) await delay(wordMs, undefined, { signal });
    }
    const [tokensIn, tokensOut] = [message.content, text].map(({ length }) =>
      Math.ceil(length / 4),
    );
    const tokens = { tokensIn: tokensIn ?? 0, tokensOut: tokensOut ?? 0 };
    const costMicros = (tokens.tokensIn + tokens.tokensOut) * tokenMicros;
    const turn = { model, ...tokens, costMicros, ms: Date.now() - startMs };
    await stream.finish({ metadata: { turn } }).catch(orNull);
    await agent.client.finishAsk(askId).catch(orNull);
    done += 1;
    await show('idle').catch(onError);
  }

  async function takeInbox(agent: DemoAgent): Promise<void> {
    const inbox = agent.client.inbox({ signal });
    for await (const item of inbox) {
      // The demo's responder answers direct messages and mentions, so only asks in channels are answered here.
      if (item.reason === 'ask' && !isDirectChannelId(item.channelId)) await answer(agent, item);
      await inbox.ack();
    }
  }

  async function ask(): Promise<void> {
    const channel = random.pick(Object.values<DemoChannel>(demoChannels));
    const [asker, ...others] = random.some(fleet.agentsIn(channel), 4);
    if (!asker || others.length === 0) return;
    const to = others.map(({ persona }) => persona.agentId);
    const names = to.map((agentId) => `@${agentId}`).join(' ');
    const text = `${names} ${random.pick(errandTexts)}`;
    await asker.client.channel(channel.channelId).ask(to, text, deadlineMs);
  }

  async function askAfterPause(): Promise<void> {
    // At the usual pace, the longest gap is 3,200 ms.
    const factor = pace.gapMs() / 3_200;
    await delay(Math.max(minPauseMs, askEveryMs * factor), undefined, { signal });
    await ask();
  }

  const steps = [...fleet.agents.map((agent) => () => takeInbox(agent)), askAfterPause];
  const running = steps.map((step) => repeatUntilAborted(step, { signal, onError }));
  return {
    get done() {
      return done;
    },
    async close() {
      await Promise.all(running);
    },
  };
}

/** Returns null when another agent has the ask, or the ask has ended. */
function orNull(error: unknown): null {
  const isTaken =
    error instanceof HubError && (error.code === 'conflict' || error.code === 'superseded');
  if (isTaken) return null;
  throw error;
}
