import {
  evalsha,
  evalSource,
  isScriptCall,
  type RedisCommand,
  type RedisReply,
} from './command.ts';
import { toClientError } from './errors.ts';
import type { ScriptCall } from './scripts.ts';
import type { CommandTransport } from './transport.ts';

/** What a pipeline brought back, each place a reply or a RedisClientError; a class, so that the breaker can tell it from a reply. */
export class PipelineReplies {
  readonly replies: readonly RedisReply[];

  constructor(replies: readonly RedisReply[]) {
    this.replies = replies;
  }
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

/**
 * Sends all calls in one batch. Calls of scripts that the server does not know were not executed; they alone are sent
 * again, with their source, in a second batch.
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

/** Runs one script by its SHA, and by its source if the server does not know it. */
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
