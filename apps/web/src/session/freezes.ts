import { signal, type ReadonlySignal } from '@preact/signals';
import type { HubClient } from '@openclaw/client';
import type { ResultOf } from '@openclaw/protocol';
import { isFreezeEvent } from '@openclaw/protocol/wire';
import { createTimers } from '../store/timers.ts';

export type Freeze = ResultOf<'freeze.list'>['freezes'][number];

/** Several events about freezes within this time cause one read. */
const readAfterMs = 50;
const retryMs = 3_000;

/** Reads the freezes after each connection and after each event about one. */
export function createFreezes(client: Pick<HubClient, 'on' | 'freezes' | 'state'>) {
  const list = signal<readonly Freeze[]>([]);
  const timers = createTimers<'read'>();
  let newest = 0;

  async function read() {
    newest += 1;
    const own = newest;
    try {
      const { freezes } = await client.freezes();
      // An answer that was overtaken by a later read is out of date.
      if (own === newest) list.value = freezes;
    } catch {
      // A lost connection is followed by a welcome, which reads again.
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
    /** Call it after the reader has changed a freeze. */
    read,
    close() {
      timers.close();
      for (const off of offs) off();
    },
  };
}
