import { setTimeout as pause } from 'node:timers/promises';
import { createClient, HubError, type Message } from '@openclaw/client';

const [url = 'ws://127.0.0.1:8080', agent = 'ada'] = process.argv.slice(2);
const hub = createClient({ url, agent });

async function* askModel(question: string) {
  for (const word of `You asked: ${question}`.split(/(?= )/)) yield pause(50, word);
}
const usage = { model: 'echo', tokensIn: 9, tokensOut: 9, costMicros: 0, ms: 900 }; // as your model reports it
const orNull = (error: unknown) => {
  if (error instanceof HubError && /conflict|superseded/.test(error.code)) return null;
  throw error;
};
async function answer({ id, channelId, seq: basedOn, content, ...ask }: Message) {
  const channel = hub.channel(channelId);
  const threadId = ask.threadId ?? id;
  const claim = await channel.claim(threadId, 60_000).catch(orNull); // null while another agent has it
  // After a kill -9, this id continues the same message. `basedOn` refuses a second answer to an ask.
  const once = { clientMessageId: `answer-${id}`, fence: claim?.fence ?? null, basedOn };
  const stream = claim && (await channel.stream({ threadId, ...once }).catch(orNull));
  if (!stream) return hub.declineAsk(id, 'another agent answers').catch(orNull);
  channel.setTurn({ threadId, state: 'streaming' }).catch(() => null); // only for display, so it may fail
  for await (const word of askModel(content)) stream.append(word);
  await stream.finish({ metadata: { turn: usage } }).catch(orNull);
  return hub.finishAsk(id).catch(orNull);
}
const inbox = hub.inbox();
for await (const { reason, message } of inbox) {
  if (reason === 'ask' && message) await answer(message);
  await inbox.ack();
}
