import { expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { commandOf } from '../contract/command-of.contract.ts';
import { ChatStoreError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { runGroup } from './run-group.ts';

async function turnsBeforeBegin(content: string, messages: number): Promise<number> {
  let turns = 0;
  let isWatching = true;
  const watch = () => {
    if (!isWatching) return;
    turns += 1;
    setImmediate(watch);
  };
  const engine = {
    beginGroup: () => Promise.reject(new ChatStoreError('unavailable', 'no database')),
    failureOf: (error: unknown) => error,
  } as unknown as Engine;
  const command = commandOf({ agentId: 'ann', isAdmin: false }, 'message.send', {
    ...{ channelId: 'c', content },
    parseMentions: true,
  });
  const commands = Array.from({ length: messages }, () => command);
  setImmediate(watch);
  await expect(runGroup(engine, commands, () => undefined)).rejects.toThrow('no database');
  isWatching = false;
  return turns;
}

// The attack: many of the longest messages at once, full of markup. With PostgreSQL, the hub's event loop parses
// mentions.
it('lets other work run while it looks for mentions in long messages', async () => {
  const markup = '_@a_ '.repeat(limits.contentBytes / 5);
  expect(await turnsBeforeBegin(markup, 32)).toBeGreaterThan(3);
  expect(await turnsBeforeBegin('hello @ann', 32)).toBeLessThanOrEqual(2);
});
