import { setTimeout as delay } from 'node:timers/promises';
import type { Envelope } from '@openclaw/client';
import { isDirectChannelId, type EventOf } from '@openclaw/protocol';
import type { DemoAgent } from './agent.ts';
import { demoChannels, type DemoChannel } from './channels.ts';
import type { Fleet } from './fleet.ts';
import type { Randomness } from './randomness.ts';
import { chooseReply, chooseSecond, directWelcome, welcomes } from './replies.ts';

export interface Responder {
  /** Returns the time in epoch ms, or 0 if no person wrote in the channel. */
  lastMessageAtMs(channelId: string): number;
  readonly answers: number;
  close(): void;
}

export interface ResponderDeps {
  readonly fleet: Fleet;
  readonly random: Randomness;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

type Message = EventOf<'channel.message'>['message'];

interface Person {
  answersLeft: number;
  atMs: number;
}

/** Past this number, the person seen longest ago is forgotten. */
const maxPeople = 500;
/** Past this number of answers in progress, a message gets no answer. */
const maxRunning = 50;
/** A person may be a bot that replies to every answer. The budget of each person slows such a loop down. */
const maxAnswers = 8;
const answerBackMs = 6_000;

export function startResponder({ fleet, random, signal, onError }: ResponderDeps): Responder {
  const people = new Map<string, Person>();
  const lastMessages = new Map<string, number>();
  let running = 0;
  let answers = 0;

  function personOf(agentId: string) {
    if (fleet.byId(agentId)) return null;
    const known = people.get(agentId);
    const person = known ?? { answersLeft: maxAnswers, atMs: Date.now() };
    people.delete(agentId);
    people.set(agentId, person);
    const [oldest] = people.keys();
    if (people.size > maxPeople && oldest !== undefined) people.delete(oldest);
    return { person, isNew: !known };
  }

  function takeAnswer(person: Person): boolean {
    const nowMs = Date.now();
    const back = (nowMs - person.atMs) / answerBackMs;
    person.answersLeft = Math.min(maxAnswers, person.answersLeft + back);
    person.atMs = nowMs;
    if (person.answersLeft < 1) return false;
    person.answersLeft -= 1;
    return true;
  }

  function run(work: () => Promise<void>): void {
    if (running >= maxRunning || signal.aborted) return;
    running += 1;
    work()
      .catch((error: unknown) => {
        if (!signal.aborted) onError(error);
      })
      .finally(() => (running -= 1));
  }

  const wait = (fromMs: number, toMs: number) =>
    delay(random.between(fromMs, toMs), undefined, { signal });

  function greet(channel: DemoChannel, agentId: string): void {
    run(async () => {
      const members = fleet.agentsIn(channel);
      const host =
        members.find(({ persona }) => persona.role === 'tech-lead') ?? random.pick(members);
      const guide = fleet.agentFor('support-agent', random);
      await wait(600, 1_200);
      const text = random.pick(welcomes).replace('{name}', `@${agentId}`);
      await host.send(channel.channelId, text, { mentions: [agentId], typingMs: 900 });
      await guide.client.direct(agentId).send(directWelcome);
      answers += 1;
    });
  }

  function agentsAddressed(channel: DemoChannel, { mentions, content }: Message) {
    const named = new Set([
      ...mentions,
      ...[...content.matchAll(/@([A-Za-z0-9-]+)/g)].map(([, name = '']) => name),
    ]);
    return fleet
      .agentsIn(channel)
      .filter(({ persona }) => named.has(persona.agentId))
      .slice(0, 3);
  }

  function answerInChannel(channel: DemoChannel, message: Message): void {
    const { channelId, id, senderId, content } = message;
    lastMessages.set(channelId, Date.now());
    const addressed = agentsAddressed(channel, message);
    const reply = chooseReply(content, random);
    const expert = fleet.agentFor(reply.role, random);
    const here = fleet.agentsIn(channel);
    const [first = here.includes(expert) ? expert : random.pick(here), ...others] = addressed;
    const where = message.threadId === null ? {} : { threadId: message.threadId };

    run(async () => {
      await wait(250, 600);
      await first.client.channel(channelId).react(id, reply.emoji);
      await wait(200, 500);
      const typingMs = random.between(900, 1_900);
      const mentions = [senderId];
      await first.send(channelId, `@${senderId} ${reply.text}`, { mentions, typingMs, ...where });
      answers += 1;
      for (const other of others) {
        const more = chooseReply('', random);
        await other.send(channelId, more.text, { typingMs: 1_000, ...where });
      }
      if (others.length > 0 || !random.chance(0.35)) return;
      const second = chooseSecond(random);
      const speaker = fleet.agentFor(second.role, random);
      if (speaker === first || !here.includes(speaker)) return;
      await wait(500, 1_500);
      await speaker.send(channelId, second.text, { typingMs: 1_200, ...where });
    });
  }

  function answerDirect(agent: DemoAgent, { channelId, id, senderId, content }: Message): void {
    run(async () => {
      const reply = chooseReply(content, random);
      await wait(300, 700);
      await agent.client.channel(channelId).react(id, reply.emoji);
      await agent.sendDirect(senderId, channelId, reply.text, random.between(900, 1_900));
      answers += 1;
    });
  }

  function onChannelEvent(channel: DemoChannel, { event }: Envelope): void {
    if (event.type === 'channel.member.join') {
      if (personOf(event.member.agentId)?.isNew) greet(channel, event.member.agentId);
    } else if (event.type === 'channel.presence') {
      // A person who joined during an earlier demo does not join again, but comes online.
      for (const { agentId, status } of event.presences)
        if (status !== 'offline' && personOf(agentId)?.isNew) greet(channel, agentId);
    } else if (event.type === 'channel.message' || event.type === 'thread.message') {
      const known = personOf(event.message.senderId);
      if (known && takeAnswer(known.person)) answerInChannel(channel, event.message);
    }
  }

  const offs = Object.values<DemoChannel>(demoChannels).flatMap((channel) => {
    const [listener] = fleet.agentsIn(channel);
    const listen = (envelope: Envelope) => onChannelEvent(channel, envelope);
    return listener ? [listener.client.channel(channel.channelId).on('event', listen)] : [];
  });
  for (const agent of fleet.agents) {
    const off = agent.client.on('event', ({ channelId, event }) => {
      if (event.type !== 'channel.message' || !isDirectChannelId(channelId ?? '')) return;
      const known = personOf(event.message.senderId);
      if (known && takeAnswer(known.person)) answerDirect(agent, event.message);
    });
    offs.push(off);
  }

  return {
    lastMessageAtMs: (channelId) => lastMessages.get(channelId) ?? 0,
    get answers() {
      return answers;
    },
    close() {
      for (const off of offs) off();
    },
  };
}
