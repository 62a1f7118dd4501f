import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ParamsInputOf } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import type { WriteMethod } from '../../commands.ts';
import { commandOf } from '../../contract/command-of.contract.ts';
import { openSqliteEngine } from '../../sqlite/sqlite-engine.ts';
import type { Engine } from '../engine.ts';
import { createStoreCore, type StoreCore } from '../store-core.ts';
import { readLogPage } from './log.ts';

const hourMs = 3_600_000;
const channelId = 'read';

describe('a page of a log that is trimmed between two statements of the read', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let core: StoreCore;
  let engine: Engine;
  let nowMs = hourMs;

  beforeAll(async () => {
    folder = await temporaryFolder('log');
    engine = await openSqliteEngine({
      ...{ path: join(folder.path, 'hub.sqlite'), readOnly: false, busyTimeoutMs: 100 },
      clock: () => nowMs,
    });
    core = createStoreCore(engine, (error) => {
      throw error;
    });
  });
  afterAll(async () => {
    await core.close();
    await folder.remove();
  });

  async function write<M extends WriteMethod>(method: M, params: ParamsInputOf<M>) {
    const actor = { agentId: 'ana', isAdmin: false };
    const [outcome] = await core.runGroup([commandOf(actor, method, params)]);
    expect(outcome).toMatchObject({ ok: true });
  }
  function readAround(after: number, nth: number, between: () => Promise<void>) {
    let statements = 0;
    const db = engine.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        statements += 1;
        if (statements === nth) await between();
        return result;
      },
    });
    return readLogPage({ ...engine, db }, channelId, after, 1_000, 1e9);
  }
  async function trimAll() {
    nowMs += 2 * hourMs;
    let isMore = true;
    while (isMore) ({ isMore } = await core.sweep());
  }

  // The race: while a hub reads a page without a snapshot, another hub trims the whole log. The log's last row stays,
  // without its content. Invariant: the emptied row is not delivered as an event.
  it('never holds the emptied row, and reports the floor', async () => {
    await write('channel.create', { channelId, name: 'Read', retentionMs: hourMs });
    let head = 1;
    for (const nth of [1, 2]) {
      for (let i = 0; i < 3; i += 1) await write('message.send', { channelId, content: `${i}` });
      head += 3;
      // Negative control: without a trim the events are read.
      expect((await readAround(head - 1, nth, async () => {})).events).toHaveLength(1);
      for (const after of [head - 1]) {
        const page = await readAround(after, nth, trimAll);
        expect([nth, page]).toEqual([
          nth,
          { events: [], head, floor: head + 1, epoch: expect.any(String) },
        ]);
      }
    }
  });
});
