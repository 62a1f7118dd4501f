import { signal, type ReadonlySignal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import type { ResultOf } from '@openclaw/protocol';
import { isFreezeEvent } from '@openclaw/protocol/wire';
import { createTimers } from '../store/timers.ts';

export type Freeze = ResultOf<'freeze.list'>['freezes'][number];

/** Events about freezes within this time cause one read together. */
const readAfterMs = 50;
const retryMs = 3_000;

/** Reads the freezes after each connection, and after each event about a freeze. */
export function createFreezes(client: Pick<HubClient, 'on' | 'freezes' | 'state'>) {
  const list = signal<readonly Freeze[]>([]);
  const timers = createTimers<'read'>();
  let newest = 0;

  async function read() {
    newest += 1;
    const own = newest;
    try {
      const { freezes } = await client.freezes();
      // If a later read has begun, this answer may be out of date.
      if (own === newest) list.value = freezes;
    } catch {
      // If the connection is lost, the next welcome causes a read, so only a live client retries.
      if (client.state === 'live') timers.start('read', retryMs, () => void read());
    }
  }

  const offs = [
    client.on('welcome', () => void read()),
    client.on('event', ({ event }) => {
      if (event.type !== 'collaboration.event' || !isFreezeEvent(event.name)) return;
      timers.start('read', readAfterMs, () => void read());
    }),
  ];
  void read();
  return {
    list: list as ReadonlySignal<readonly Freeze[]>,
    read,
    close() {
      timers.close();
      for (const off of offs) off();
    },
  };
}
