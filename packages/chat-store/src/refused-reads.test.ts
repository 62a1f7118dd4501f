import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import { uniqueId } from './contract/world.contract.ts';
import { createChatStore, type ChatStore, type ChatStoreOptions } from './index.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const stores: ChatStore[] = [];
beforeAll(async () => {
  folder = await temporaryFolder('refused-reads');
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await folder.remove();
});

const agent = { agentId: 'a', isAdmin: false };

async function open(options: Omit<ChatStoreOptions, 'url'> = {}) {
  const path = join(folder.path, uniqueId('data'), 'hub.sqlite');
  const warnings: string[] = [];
  const logger = {
    warn: (_details: object, message: string) => void warnings.push(message),
    error: () => undefined,
  };
  const store = await createChatStore({ url: `sqlite:${path}`, ...options }, { logger });
  stores.push(store);
  return { path, store, warnings };
}

describe('refused reads', () => {
  // Clients do not learn why the database fails, so the log must say it.
  it.each(['read', 'readJson'] as const)('are explained in the log: %s', async (way) => {
    const { path, store, warnings } = await open();
    await rm(path);
    await waitFor(async () => (await store.health()).status === 'down');
    for (let i = 0; i < 3; i += 1) {
      expect(await store[way](agent, 'read.state', {})).toMatchObject({ code: 'unavailable' });
    }
    expect(warnings).toEqual(['calls are refused: the database failed']);
  });

  it('do not mention the database when an agent makes too many reads', async () => {
    const { store, warnings } = await open({ maxReads: 4 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => store.read(agent, 'read.state', {})),
    );
    expect(answers.some((answer) => !answer.ok && answer.code === 'rate_limited')).toBe(true);
    expect(warnings).toEqual([]);
  });
});
