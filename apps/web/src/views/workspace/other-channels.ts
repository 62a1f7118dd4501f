import { useEffect, useRef, useState } from 'preact/hooks';
import type { Channel } from '@openclaw/protocol';
import { announcementOf } from '@openclaw/protocol/wire';
import type { Session } from '../../session/session.ts';

const pageSize = 100;
// The time between an announcement and the request is random, so that many open pages do not ask at once.
const readWithinMs = 1_000;

/**
 * Lists the channels of one kind of which this person is no member, page by page in the order of their ids. Only admins
 * get private and direct channels. Channels that are created while the list is shown are put in front. Announcements
 * may be lost, so after a reconnect the newest channels are read again.
 */
export function useOtherChannels({ client, notices }: Session, kind: Channel['kind']) {
  const [channels, setChannels] = useState<readonly Channel[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const choice = { kind, member: false, limit: pageSize } as const;

  const newestKind = useRef(kind);
  newestKind.current = kind;

  const load = (from: string | null) =>
    client
      .channels({ ...choice, cursor: from })
      .then((page) => {
        if (kind !== newestKind.current) return;
        setChannels((shown) => [...(shown ?? []), ...withoutKnown(page.channels, shown ?? [])]);
        setCursor(page.nextCursor);
      })
      .catch(notices.report('The channels could not be loaded'));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readNewest = async () => {
      timer = undefined;
      const page = await client.channels({ ...choice, order: 'newest' });
      if (kind !== newestKind.current) return;
      setChannels((shown) => [...withoutKnown(page.channels, shown ?? []), ...(shown ?? [])]);
    };
    // At most one request is pending. It covers the announcements that arrive before it is sent.
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
    setChannels(null);
    void load(null);
    return () => {
      clearTimeout(timer);
      for (const off of offs) off();
    };
  }, [kind]);

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

/**
 * True once the hub has listed a private or direct channel of which this person is no member. The hub lists these
 * channels only to admins.
 */
export function useSeesPrivate({ client }: Session): boolean {
  const [sees, setSees] = useState(false);
  useEffect(() => {
    const list = (kind: 'private' | 'direct') => client.channels({ kind, member: false, limit: 1 });
    Promise.all([list('private'), list('direct')]).then(
      (pages) => setSees(pages.some(({ channels }) => channels.length > 0)),
      // Without an answer the page offers only public channels.
      () => undefined,
    );
  }, []);
  return sees;
}
