import type { ScriptCall } from './scripts.ts';

/** What Redis answered: RESP2 shapes (strings, numbers, null, arrays). Parse before use. */
export type RedisReply = unknown;

/** A command as data: name, then arguments. Its key or topic is the first argument, as Cluster needs it. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/** Tells a script call from a command. */
export function isScriptCall(call: RedisCommand | ScriptCall): call is ScriptCall {
  return !Array.isArray(call);
}

/** EVALSHA of a script call: 40 bytes in place of the source. */
export function evalsha({ script, keys, args }: ScriptCall): RedisCommand {
  return ['evalsha', script.sha, keys.length, ...keys, ...args];
}

/** EVAL of a script call, which also loads it. */
export function evalSource({ script, keys, args }: ScriptCall): RedisCommand {
  return ['eval', script.lua, keys.length, ...keys, ...args];
}

/** A command as ioredis is to send it: in capitals, because it gives the small `hgetall` and others replies of its own. */
export function toWire([name, ...args]: RedisCommand): readonly [string, ...(string | number)[]] {
  return [name.toUpperCase(), ...args];
}
