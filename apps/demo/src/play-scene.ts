import { setTimeout as delay } from 'node:timers/promises';
import type { DemoAgent } from './agent.ts';
import { demoChannels } from './channels.ts';
import type { Fleet } from './fleet.ts';
import type { Pace } from './pace.ts';
import type { Role } from './personas.ts';
import type { Randomness } from './randomness.ts';
import type { Scene, Step } from './scene.ts';
import { chooseWords } from './words.ts';

export interface PlayDeps {
  readonly fleet: Fleet;
  readonly random: Randomness;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

interface SentMessage {
  readonly messageId: string;
  readonly threadId: string;
  readonly by: DemoAgent;
}

/** Rejects with HubError when the hub refuses a step. Also rejects when the signal aborts. */
export async function playScene(scene: Scene, deps: PlayDeps): Promise<void> {
  const { fleet, random, pace, signal } = deps;
  const { channelId } = demoChannels[scene.channel];
  const agentByRole = new Map<Role, DemoAgent>();
  const sent = new Map<string, SentMessage>();

  function agentOf(role: Role): DemoAgent {
    const agent = agentByRole.get(role) ?? fleet.agentFor(role, random);
    agentByRole.set(role, agent);
    return agent;
  }

  function resolveMentions(template: string) {
    const mentions = new Set<string>();
    const text = template.replaceAll(/@([a-z]+(?:-[a-z]+)*)/g, (whole, name: string) => {
      const { agentId } = agentOf(name as Role).persona;
      mentions.add(agentId);
      return whole.replace(name, agentId);
    });
    return { text, mentions: [...mentions] };
  }

  function messageOf(name: string): SentMessage {
    const message = sent.get(name);
    if (!message) throw new Error(`the scene has no message "${name}" yet`);
    return message;
  }

  async function perform(step: Step): Promise<void> {
    const agent = agentOf(step.by);
    const channel = agent.client.channel(channelId);
    switch (step.kind) {
      case 'say': {
        const { text, mentions } = resolveMentions(step.text);
        const typingMs = pace.typingMs(text);
        const threadId = step.under === undefined ? undefined : messageOf(step.under).threadId;
        const options = { mentions, typingMs, ...(threadId !== undefined && { threadId }) };
        const messageId = await agent.send(channelId, text, options);
        if (step.as !== undefined)
          sent.set(step.as, { messageId, threadId: threadId ?? messageId, by: agent });
        return;
      }
      case 'react':
        await channel.react(messageOf(step.to).messageId, step.emoji);
        return;
      case 'edit': {
        const { by, messageId } = messageOf(step.message);
        await by.client.channel(channelId).edit(messageId, resolveMentions(step.text).text);
        return;
      }
      case 'thread':
        await channel.createThread(messageOf(step.message).threadId, step.title);
        return;
      case 'emit':
        await channel.emit(step.name, step.payload);
        return;
      case 'status':
        await agent.setStatus(step.status, step.customStatus);
    }
  }

  for (const step of scene.steps(chooseWords(random), random)) {
    signal.throwIfAborted();
    await perform(step);
    const gapMs = pace.gapMs();
    // Only a message needs time to be read. After any other step, the next step follows sooner.
    if (gapMs > 0) await delay(step.kind === 'say' ? gapMs : gapMs / 3, undefined, { signal });
  }
}
