import { defineScript } from '@openclaw/redis-client';
import {
  expiredLua,
  getLua,
  joinLua,
  leaveLua,
  leasesLua,
  listLua,
  reapLua,
  renewLua,
  stateLua,
  updateLua,
  vouchLua,
} from './lua.gen.ts';

const reading = (name: string, lua: string) =>
  defineScript(`presence.${name}`, `${leasesLua}\n${lua}`);
const writing = (name: string, lua: string) => reading(name, `${stateLua}\n${lua}`);

/** One script per atomic operation; src/lua says what each takes and gives. */
export const scripts = {
  join: writing('join', joinLua),
  update: writing('update', updateLua),
  renew: writing('renew', renewLua),
  leave: writing('leave', leaveLua),
  reap: writing('reap', reapLua),
  vouch: writing('vouch', vouchLua),
  expired: reading('expired', expiredLua),
  list: reading('list', listLua),
  get: reading('get', getLua),
} as const;
