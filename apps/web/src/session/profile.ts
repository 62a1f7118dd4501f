import type { HubClient } from '@openclaw/client';
import type { Presence } from '@openclaw/protocol';
import { createStoredValue } from '../page/stored-value.ts';

/** What other agents see of this one. */
export interface Profile {
  readonly status: Exclude<Presence['status'], 'offline'>;
  readonly customStatus: string | null;
  readonly avatar: string | null;
}

const initial: Profile = { status: 'online', customStatus: null, avatar: null };

/** The profile of this agent; it survives a reload, and the SDK sends it again on each new connection. */
export function createOwnProfile(client: HubClient, storage: Storage, me: string) {
  const stored = createStoredValue<Profile>(storage, `openclaw.profile.${me}`, initial);
  return {
    current: stored.value,
    async set(profile: Profile) {
      stored.value.value = profile;
      await client.setPresence(profile);
    },
    close: stored.close,
  };
}
