import { setTimeout as delay } from 'node:timers/promises';
import type { Envelope } from '@openclaw/client';
import { isDirectChannelId, type EventOf } from '@openclaw/protocol';
import type { Actor } from './actor.ts';
import { places, type Place } from './places.ts';
import type { Randomness } from './randomness.ts';
import { chooseReply, chooseSecond, directWelcome, welcomes } from './replies.ts';
import type { Troupe } from './troupe.ts';

/** Sees to it that nobody who writes is left without an answer. */
export interface Attention {
  /** When a person last wrote in the channel, epoch ms; 0 for never. */
  heardAtMs(channelId: string): number;
  readonly answers: number;
  close(): void;
}

/** What {@link payAttention} works with. */
export interface AttentionDeps {
  readonly troupe: Troupe;
  readonly random: Randomness;
  readonly signal: AbortSignal;
  /** Told why something was not said. */
  readonly onTrouble: (error: unknown) => void;
}

type Message = EventOf<'channel.message'>['message'];

/** People that are remembered as greeted; who comes after so many others is greeted again. */
const maxPeople = 500;
/** Answers under way; what comes on top is passed over. */
const maxUnderWay = 50;
/** Two programs that answer each other go on for ever: nobody gets more than these answers, and then one now and then. */
const patience = 8;
const patienceBackMs = 6_000;

/** Begins to listen in every channel, and to what each agent is told directly. */
export function payAttention({ troupe, random, signal, onTrouble }: AttentionDeps): Attention {
  const people = new Map<string, { answersLeft: number; atMs: number }>();
  const heard = new Map<string, number>();
  let underWay = 0;
  let answers = 0;

  /** Null for one of the troupe; else what is remembered of the person, and whether that is new. */
  function personOf(agentId: string) {
    if (troupe.byId(agentId)) return null;
    const known = people.get(agentId);
    const person = known ?? { answersLeft: patience, atMs: Date.now() };
    people.delete(agentId);
    people.set(agentId, person);
    const [oldest] = people.keys();
    if (people.size > maxPeople && oldest !== undefined) people.delete(oldest);
    return { person, isNew: !known };
  }

  function mayAnswer(person: { answersLeft: number; atMs: number }): boolean {
    const nowMs = Date.now();
    const back = (nowMs - person.atMs) / patienceBackMs;
    person.answersLeft = Math.min(patience, person.answersLeft + back);
    person.atMs = nowMs;
    if (person.answersLeft < 1) return false;
    person.answersLeft -= 1;
    return true;
  }

  function begin(work: () => Promise<void>): void {
    if (underWay >= maxUnderWay || signal.aborted) return;
    underWay += 1;
    work()
      .catch((error: unknown) => {
        if (!signal.aborted) onTrouble(error);
      })
      .finally(() => (underWay -= 1));
  }

  const wait = (fromMs: number, toMs: number) =>
    delay(random.between(fromMs, toMs), undefined, { signal });

  function greet(place: Place, agentId: string): void {
    begin(async () => {
      const host = troupe.oneOf('tech-lead', random);
      const guide = troupe.oneOf('support-agent', random);
      await wait(600, 1_200);
      const text = random.pick(welcomes).replace('{name}', `@${agentId}`);
      await host.say(place.channelId, text, { mentions: [agentId], typingMs: 900 });
      await guide.client.direct(agentId).send(directWelcome);
      answers += 1;
    });
  }

  /** Those who are asked by name, else one who knows about it. */
  function askedIn(place: Place, { mentions, content }: Message): readonly Actor[] {
    const named = new Set([
      ...mentions,
      ...[...content.matchAll(/@([A-Za-z0-9-]+)/g)].map(([, name = '']) => name),
    ]);
    const here = troupe.of(place);
    return here.filter(({ member }) => named.has(member.agentId)).slice(0, 3);
  }

  function answerIn(place: Place, message: Message): void {
    const { channelId, id, senderId, content } = message;
    heard.set(channelId, Date.now());
    const asked = askedIn(place, message);
    const reply = chooseReply(content, random);
    const knowing = troupe.oneOf(reply.role, random);
    const here = troupe.of(place);
    const [first = here.includes(knowing) ? knowing : random.pick(here), ...others] = asked;
    const where = message.threadId === null ? {} : { threadId: message.threadId };

    begin(async () => {
      await wait(250, 600);
      await first.client.channel(channelId).react(id, reply.emoji);
      await wait(200, 500);
      const typingMs = random.between(900, 1_900);
      await first.say(channelId, `@${senderId} ${reply.text}`, {
        ...{ mentions: [senderId], typingMs, ...where },
      });
      answers += 1;
      for (const other of others) {
        const more = chooseReply('', random);
        await other.say(channelId, more.text, { typingMs: 1_000, ...where });
      }
      if (others.length > 0 || !random.chance(0.35)) return;
      const second = chooseSecond(random);
      const speaker = troupe.oneOf(second.role, random);
      if (speaker === first || !here.includes(speaker)) return;
      await wait(500, 1_500);
      await speaker.say(channelId, second.text, { typingMs: 1_200, ...where });
    });
  }

  function answerDirectly(actor: Actor, { channelId, id, senderId, content }: Message): void {
    begin(async () => {
      const reply = chooseReply(content, random);
      await wait(300, 700);
      await actor.client.channel(channelId).react(id, reply.emoji);
      await actor.tell(senderId, channelId, reply.text, random.between(900, 1_900));
      answers += 1;
    });
  }

  function onPlaceEvent(place: Place, { event }: Envelope): void {
    if (event.type === 'channel.member.join') {
      if (personOf(event.member.agentId)?.isNew) greet(place, event.member.agentId);
    } else if (event.type === 'channel.presence') {
      // Who was here in an earlier demo joins nothing.
      for (const { agentId, status } of event.presences)
        if (status !== 'offline' && personOf(agentId)?.isNew) greet(place, agentId);
    } else if (event.type === 'channel.message' || event.type === 'thread.message') {
      const known = personOf(event.message.senderId);
      if (known && mayAnswer(known.person)) answerIn(place, event.message);
    }
  }

  const offs = Object.values<Place>(places).flatMap((place) => {
    const [listener] = troupe.of(place);
    const listen = (envelope: Envelope) => onPlaceEvent(place, envelope);
    return listener ? [listener.client.channel(place.channelId).on('event', listen)] : [];
  });
  for (const actor of troupe.actors) {
    const off = actor.client.on('event', ({ channelId, event }) => {
      if (event.type !== 'channel.message' || !isDirectChannelId(channelId ?? '')) return;
      const known = personOf(event.message.senderId);
      if (known && mayAnswer(known.person)) answerDirectly(actor, event.message);
    });
    offs.push(off);
  }

  return {
    heardAtMs: (channelId) => heard.get(channelId) ?? 0,
    get answers() {
      return answers;
    },
    close() {
      for (const off of offs) off();
    },
  };
}
