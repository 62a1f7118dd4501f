import { useEffect, useState } from 'preact/hooks';
import type { Channel } from '@openclaw/protocol';
import { announcementOf } from '@openclaw/protocol/wire';
import type { Session } from '../../session/session.ts';

const pageSize = 100;
// The most time from an announcement to the read. It varies, so that many open pages do not ask the hub at once.
const readWithinMs = 1_000;

/**
 * The public channels that this person has not joined, page by page, by id. Channels that others create while the list is
 * shown come first. Announcements may be lost, so a reconnect reads the newest channels too.
 */
export function usePublicChannels({ client, notices }: Session) {
  const [channels, setChannels] = useState<readonly Channel[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const choice = { kind: 'public', member: false, limit: pageSize } as const;

  const load = (from: string | null) =>
    client
      .channels({ ...choice, cursor: from })
      .then((page) => {
        setChannels((shown) => [...(shown ?? []), ...withoutKnown(page.channels, shown ?? [])]);
        setCursor(page.nextCursor);
      })
      .catch(notices.report('The channels could not be loaded'));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readNewest = async () => {
      timer = undefined;
      const page = await client.channels({ ...choice, order: 'newest' });
      setChannels((shown) => [...withoutKnown(page.channels, shown ?? []), ...(shown ?? [])]);
    };
    // Only one read is pending at a time. It also covers announcements that come before it.
    const readSoon = () => {
      timer ??= setTimeout(
        () => void readNewest().catch(notices.reportWhileLive('The channels could not be loaded')),
        Math.random() * readWithinMs,
      );
    };
    const offs = [
      client.on('global', ({ event }) => {
        const announced = announcementOf(event);
        if (announced === null) return;
        const { channelId, change } = announced;
        if (change === 'created') return readSoon();
        setChannels((shown) => shown && changed(shown, channelId, change));
      }),
      client.on('welcome', readSoon),
    ];
    void load(null);
    return () => {
      clearTimeout(timer);
      for (const off of offs) off();
    };
  }, []);

  return { channels, loadMore: cursor === null ? null : () => void load(cursor) };
}

function withoutKnown(found: readonly Channel[], known: readonly Channel[]): readonly Channel[] {
  const ids = new Set(known.map(({ channelId }) => channelId));
  return found.filter(({ channelId }) => !ids.has(channelId));
}

function changed(
  channels: readonly Channel[],
  channelId: string,
  change: 'archived' | 'deleted',
): readonly Channel[] {
  if (change === 'deleted') return channels.filter((channel) => channel.channelId !== channelId);
  return channels.map((channel) =>
    channel.channelId === channelId ? { ...channel, archivedAt: Date.now() } : channel,
  );
}
