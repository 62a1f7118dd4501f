import type { Command } from './commands.ts';

/** About how much memory a command takes, cheaply: what bounds the queue and its groups. */
export function sizeOf({ params }: Command): number {
  let size = 256;
  if ('content' in params) size += params.content.length;
  if ('metadata' in params && params.metadata) size += JSON.stringify(params.metadata).length;
  if ('cause' in params) size += 128 * params.cause.length;
  if ('taint' in params) for (const taint of params.taint) size += taint.length;
  if ('payload' in params) size += JSON.stringify(params.payload).length;
  return size;
}
