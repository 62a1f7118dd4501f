import { createHash } from 'node:crypto';
import type { RedisKey, TopicName } from '@openclaw/key-schema';

/** A script as data; made once per file by {@link defineScript}. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** SHA-1 of `lua`, by which Redis knows it. */
  readonly sha: string;
}

/** One call of a script. On Cluster all its keys must share a slot. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly (RedisKey | TopicName)[];
  readonly args: readonly (string | number)[];
}

/** Makes a {@link Script}. `name` is for error messages. Nothing is sent. */
export function defineScript(name: string, lua: string): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
