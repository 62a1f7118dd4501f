import type { ChatTraffic } from '@openclaw/test-support';

/** The channel has no other traffic, so its messages stay in every cache. */
export interface QuietChannel {
  fillCaches(): Promise<void>;
  change(): Promise<void>;
  /** Lists the reads that still show the state from before the change. */
  staleReads(): Promise<string[]>;
  newest(): { readonly channelId: string; readonly messageId: string };
}

export async function openQuietChannel(
  { writers, watchers }: ChatTraffic,
  channelId: string,
): Promise<QuietChannel> {
  const [owner] = writers;
  if (!owner) throw new Error('there is no writer');
  await owner.call('channel.create', { channelId, name: 'as it was' });
  for (const watcher of watchers) {
    await watcher.call('channel.join', { channelId });
    await watcher.call('subscribe', { topics: [{ channelId }] });
  }
  const ids: string[] = [];
  for (const content of ['to be edited', 'to be deleted', 'to stay']) {
    const { messageId } = await owner.call('message.send', { channelId, content });
    ids.push(messageId as string);
  }
  const [edited, deleted, kept] = ids as [string, string, string];

  return {
    async fillCaches() {
      for (const watcher of [...watchers, ...watchers]) {
        await watcher.call('message.history', { channelId });
        await watcher.call('channel.get', { channelId });
        await watcher.call('member.list', { channelId });
      }
    },
    async change() {
      await owner.call('message.edit', { channelId, messageId: edited, content: 'edited' });
      await owner.call('message.delete', { channelId, messageId: deleted });
      await owner.call('channel.update', { channelId, name: 'as it is' });
    },
    async staleReads() {
      const stale: string[] = [];
      for (const [at, watcher] of watchers.entries()) {
        const { messages } = await watcher.call('message.history', { channelId });
        const contents = (messages as { content: string }[]).map(({ content }) => content);
        if (contents.join() !== 'edited,,to stay') stale.push(`hub ${at}: ${contents.join()}`);
        const { channel } = await watcher.call('channel.get', { channelId });
        if (channel.name !== 'as it is') stale.push(`hub ${at}: named ${channel.name}`);
      }
      return stale;
    },
    newest: () => ({ channelId, messageId: kept }),
  };
}
