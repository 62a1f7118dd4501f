import { setTimeout as delay } from 'node:timers/promises';
import type { Actor } from './actor.ts';
import type { Role } from './cast.ts';
import { places } from './places.ts';
import type { Randomness } from './randomness.ts';
import type { Beat, Scene } from './scene.ts';
import type { Tempo } from './tempo.ts';
import type { Troupe } from './troupe.ts';
import { chooseWords } from './words.ts';

/** What a scene is played with. */
export interface Production {
  readonly troupe: Troupe;
  readonly random: Randomness;
  readonly tempo: Tempo;
  readonly signal: AbortSignal;
}

interface Spoken {
  readonly messageId: string;
  readonly threadId: string;
  readonly by: Actor;
}

/** Plays a scene to its end. Rejects with HubError when the hub refuses, and at the signal. */
export async function playScene(scene: Scene, production: Production): Promise<void> {
  const { troupe, random, tempo, signal } = production;
  const { channelId } = places[scene.place];
  const casting = new Map<Role, Actor>();
  const spoken = new Map<string, Spoken>();

  function actorOf(role: Role): Actor {
    const actor = casting.get(role) ?? troupe.oneOf(role, random);
    casting.set(role, actor);
    return actor;
  }

  /** The text with the names of those who play, and whom it mentions. */
  function cast(text: string): { readonly text: string; readonly mentions: readonly string[] } {
    const mentions = new Set<string>();
    const named = text.replaceAll(/@([a-z]+(?:-[a-z]+)*)/g, (whole, role: string) => {
      const { agentId } = actorOf(role as Role).member;
      mentions.add(agentId);
      return whole.replace(role, agentId);
    });
    return { text: named, mentions: [...mentions] };
  }

  function messageOf(name: string): Spoken {
    const message = spoken.get(name);
    if (!message) throw new Error(`nobody has said "${name}" yet`);
    return message;
  }

  async function perform(beat: Beat): Promise<void> {
    const actor = actorOf(beat.by);
    const channel = actor.client.channel(channelId);
    switch (beat.kind) {
      case 'say': {
        const { text, mentions } = cast(beat.text);
        const typingMs = tempo.typingMs(text);
        const threadId = beat.under === undefined ? undefined : messageOf(beat.under).threadId;
        const where = { mentions, typingMs, ...(threadId !== undefined && { threadId }) };
        const messageId = await actor.say(channelId, text, where);
        if (beat.as !== undefined)
          spoken.set(beat.as, { messageId, threadId: threadId ?? messageId, by: actor });
        return;
      }
      case 'react':
        await channel.react(messageOf(beat.to).messageId, beat.emoji);
        return;
      case 'edit': {
        const { by, messageId } = messageOf(beat.message);
        await by.client.channel(channelId).edit(messageId, cast(beat.text).text);
        return;
      }
      case 'thread':
        await channel.createThread(messageOf(beat.message).threadId, beat.title);
        return;
      case 'emit':
        await channel.emit(beat.name, beat.payload);
        return;
      case 'status':
        await actor.is(beat.status, beat.customStatus);
    }
  }

  for (const beat of scene.beats(chooseWords(random), random)) {
    signal.throwIfAborted();
    await perform(beat);
    const gapMs = tempo.gapMs();
    // A reaction follows soon; what is said next takes its typing besides.
    if (gapMs > 0) await delay(beat.kind === 'say' ? gapMs : gapMs / 3, undefined, { signal });
  }
}
