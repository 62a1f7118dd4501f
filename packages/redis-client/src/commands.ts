import { createHash } from 'node:crypto';
import type { RedisKey, TopicName } from '@openclaw/key-schema';
import { toClientError } from './errors.ts';
import type { CommandTransport, RedisCommand, RedisReply } from './transport.ts';

/** A Lua script, created once per file by {@link defineScript}. */
export interface Script {
  readonly name: string;
  readonly lua: string;
  /** SHA-1 of `lua`. */
  readonly sha: string;
}

/** One call of a script. On Cluster all its keys must be in one slot. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly (RedisKey | TopicName)[];
  readonly args: readonly (string | number)[];
}

/** Creates a {@link Script} without sending it. `name` is for error messages. */
export function defineScript(name: string, lua: string): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** The command in the form for ioredis. In capitals, because ioredis transforms the replies of `hgetall` and others. */
export function toWire([name, ...args]: RedisCommand): readonly [string, ...(string | number)[]] {
  return [name.toUpperCase(), ...args];
}

function isScriptCall(call: RedisCommand | ScriptCall): call is ScriptCall {
  return !Array.isArray(call);
}

function evalsha({ script, keys, args }: ScriptCall): RedisCommand {
  return ['evalsha', script.sha, keys.length, ...keys, ...args];
}

function evalSource({ script, keys, args }: ScriptCall): RedisCommand {
  return ['eval', script.lua, keys.length, ...keys, ...args];
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

/** The replies of a pipeline, each a reply or a RedisClientError. It is a class so that the breaker recognizes it. */
export class PipelineReplies {
  readonly replies: readonly RedisReply[];

  constructor(replies: readonly RedisReply[]) {
    this.replies = replies;
  }
}

/**
 * Sends all calls in one batch. A call whose script the server does not know was not executed. Only these calls are sent
 * again, with the source, in a second batch.
 */
export async function runPipeline(
  transport: CommandTransport,
  calls: readonly (RedisCommand | ScriptCall)[],
): Promise<PipelineReplies> {
  const replies = await transport.batch(
    calls.map((call) => (isScriptCall(call) ? evalsha(call) : call)),
  );
  const unknown: { readonly place: number; readonly call: ScriptCall }[] = [];
  calls.forEach((call, place) => {
    if (isScriptCall(call) && isUnknownScript(replies[place])) unknown.push({ place, call });
  });
  if (unknown.length > 0) {
    const second = await transport.batch(unknown.map(({ call }) => evalSource(call)));
    unknown.forEach(({ place }, index) => (replies[place] = second[index]));
  }
  return new PipelineReplies(
    replies.map((reply) => (reply instanceof Error ? toClientError(reply) : reply)),
  );
}

/** Runs a script by its SHA, or by its source if the server does not know it. */
export async function runScript(
  transport: CommandTransport,
  call: ScriptCall,
): Promise<RedisReply> {
  try {
    return await transport.call(evalsha(call));
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return transport.call(evalSource(call));
  }
}
