import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type HubClient } from '@openclaw/client';
import type { Persona } from './personas.ts';

export interface DemoAgent {
  readonly persona: Persona;
  readonly client: HubClient;
  send(channelId: string, text: string, options?: SendOptions): Promise<string>;
  sendDirect(agentId: string, channelId: string, text: string, typingMs: number): Promise<string>;
  setStatus(status: 'online' | 'away' | 'dnd', customStatus: string): Promise<void>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly threadId?: string;
  readonly mentions?: readonly string[];
  /** Typing is shown for this time; 0 shows none. @default 0 */
  readonly typingMs?: number;
}

export interface DemoAgentOptions {
  readonly url: string;
  readonly persona: Persona;
  readonly signal: AbortSignal;
}

export function createDemoAgent({ url, persona, signal }: DemoAgentOptions): DemoAgent {
  const client = createClient({ url, agent: persona.agentId });

  async function type(channelId: string, typingMs: number, threadId?: string): Promise<void> {
    if (typingMs <= 0) return;
    // Typing is best effort. If the connection is lost, the send below reports it.
    client
      .channel(channelId)
      .startTyping(threadId)
      .catch(() => undefined);
    await delay(typingMs, undefined, { signal });
  }

  return {
    persona,
    client,
    async send(channelId, text, { threadId, mentions = [], typingMs = 0 } = {}) {
      await type(channelId, typingMs, threadId);
      const { messageId } = await client.channel(channelId).send(text, {
        ...(threadId !== undefined && { threadId }),
        mentions: [...mentions],
      });
      return messageId;
    },
    async sendDirect(agentId, channelId, text, typingMs) {
      await type(channelId, typingMs);
      return (await client.direct(agentId).send(text)).messageId;
    },
    async setStatus(status, customStatus) {
      await client.setPresence({ status, customStatus, avatar: persona.avatar });
    },
    close: () => client.close(),
  };
}
