import type { Presence } from '@openclaw/protocol';

export interface Profile {
  readonly status: Exclude<Presence['status'], 'offline'>;
  readonly customStatus: string | null;
  readonly avatar: string | null;
}

export const noProfile: Profile = { status: 'online', customStatus: null, avatar: null };
