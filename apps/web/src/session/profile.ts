import type { HubClient } from '@openclaw/client';
import type { Presence } from '@openclaw/protocol';
import type { ReadonlySignal } from '@preact/signals';
import { createStoredValue } from '../page/stored-value.ts';

/** What somebody says of themselves. */
export interface Profile {
  readonly status: Exclude<Presence['status'], 'offline'>;
  readonly customStatus: string | null;
  readonly avatar: string | null;
}

/** This agent's own presence; kept over reloads, and said again to the hub. */
export interface OwnProfile {
  readonly current: ReadonlySignal<Profile>;
  set(profile: Profile): Promise<void>;
  close(): void;
}

/** The SDK says it again on each new connection. */
export function createOwnProfile(client: HubClient, storage: Storage, me: string): OwnProfile {
  const initial: Profile = { status: 'online', customStatus: null, avatar: null };
  const stored = createStoredValue<Profile>(storage, `openclaw.profile.${me}`, initial);
  return {
    current: stored.value,
    async set(profile) {
      stored.value.value = profile;
      await client.setPresence(profile);
    },
    close: stored.close,
  };
}
