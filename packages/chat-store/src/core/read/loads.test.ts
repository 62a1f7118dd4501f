import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import type { KyselyPlugin } from 'kysely';
import { commandOf } from '../../contract/command-of.contract.ts';
import { openSqliteEngine } from '../../sqlite/sqlite-engine.ts';
import { createStoreCore } from '../store-core.ts';

const actor = { agentId: 'alice', isAdmin: false };
const channelId = 'c';
/** 192 KiB as JSON. */
const content = '\u0001'.repeat(limits.contentBytes);

async function countingCore() {
  const folder = await temporaryFolder('loads');
  const path = join(folder.path, 'hub.sqlite');
  const engine = await openSqliteEngine({ path, readOnly: false, busyTimeoutMs: 100 });
  const loads: number[] = [];
  const counts: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      const texts = result.rows.map(({ envelope }) =>
        typeof envelope === 'string' ? envelope : '',
      );
      loads.push(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
      return result;
    },
  };
  const db = engine.db.withPlugin(counts);
  const counted = {
    ...engine,
    db,
    snapshot: ((work) => db.transaction().execute(work)) as typeof engine.snapshot,
  };
  const core = createStoreCore(counted, (error) => {
    throw error;
  });
  return { core, loads, close: () => core.close().then(() => folder.remove()) };
}

describe('a page that ends by its bytes', () => {
  // A statement's answer is parsed and encoded in one turn of the event loop, so it has at most a quarter of a
  // megabyte.
  it('loads little more than it answers, in statements of bounded size', async () => {
    const { core, loads, close } = await countingCore();
    const send = commandOf(actor, 'message.send', { channelId, content });
    const commands = [
      commandOf(actor, 'channel.create', { channelId, name: channelId }),
      ...Array.from({ length: 100 }, () => send),
    ];
    for (const outcome of await core.runGroup(commands)) expect(outcome.ok).toBe(true);
    for (const read of [
      () => core.readJson(actor, 'log.read', { channelId, after: 0, limit: 1000, waitMs: 0 }),
      () => core.logPage(channelId, 0, 1000, limits.resumeBytes),
      ...[
        { before: null, after: 0 },
        { before: null, after: null },
      ].map(
        (edge) => () =>
          core.readJson(actor, 'message.history', {
            channelId,
            ...edge,
            threadId: null,
            limit: 200,
          }),
      ),
    ]) {
      loads.length = 0;
      const page = await read();
      const total = loads.reduce((sum, bytes) => sum + bytes, 0);
      expect(total).toBeGreaterThan(limits.resumeBytes * 0.9);
      expect(total).toBeLessThanOrEqual(limits.resumeBytes);
      expect(Math.max(...loads)).toBeLessThanOrEqual(262_144);
      if (!('json' in page)) continue;
      const pieces = page.json.map(({ byteLength }) => byteLength);
      expect(Math.max(...pieces)).toBeLessThanOrEqual(262_144);
    }
    await close();
  });
});
