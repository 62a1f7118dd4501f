import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { startPostgres } from '@openclaw/test-support';
import pg from 'pg';
import { agentOf } from '../contract/world.contract.ts';
import { createChatStore, type ChatStore } from '../index.ts';

let server: Awaited<ReturnType<typeof startPostgres>>;
let store: ChatStore;
beforeAll(async () => {
  server = await startPostgres();
  store = await createChatStore({ url: server.url, agentTurns: 100 });
}, 60_000);
afterAll(async () => {
  await store.close();
  await server.stop();
});

/** Returns the names of the statements on the connection that commits. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const query = jest.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    const sent = query.mock.calls.map(([first]: readonly unknown[], index) => {
      const { name, text } = first as { readonly name?: string; readonly text?: string };
      const client = query.mock.contexts[index];
      return { client, name: name ?? (text ?? String(first)).split(' ')[0] ?? '' };
    });
    // Sweeps may run too, on other connections.
    const committing = sent.find(({ name }) => name === 'chat_store_lock')?.client;
    return sent.filter(({ client }) => client === committing).map(({ name }) => name);
  } finally {
    query.mockRestore();
  }
}

// Budgets and freezes must not add a statement to a send, nor the ledger to a send without a turn.
it('a plain send costs the same eight statements with and without a budget', async () => {
  const person = agentOf(store, 'pia', { kind: 'person' });
  const agent = agentOf(store, 'ana', { kind: 'agent' });
  const channelId = 'plain';
  await person.write('channel.create', { channelId, name: 'Plain' });
  await person.write('member.add', { channelId, agentId: 'ana' });
  await person.write('direct.send', { agentId: 'ana', content: 'hi' });
  const plain = [
    ...['BEGIN', 'chat_store_lock', 'chat_store_moment'],
    ...['chat_store_read_members', 'chat_store_read_senders'],
    ...['chat_store_write_log', 'chat_store_write_messages', 'COMMIT'],
  ];
  const send = () => agent.say(channelId, 'x');
  expect(await statementsOf(send)).toEqual(plain);
  expect(await statementsOf(() => person.say(channelId, 'y'))).toEqual(plain);
  const direct = () => agent.write('direct.send', { agentId: 'pia', content: 'x' });
  const withInbox = plain.map((name) => name.replace(/_messages$/, '_messages_and_inbox'));
  expect((await statementsOf(direct)).sort()).toEqual(withInbox.sort());
  await person.write('budget.set', { channelId, agentTurns: 3, perMinute: 9 });
  expect(await statementsOf(send)).toEqual(plain);
  await person.write('freeze', { scope: 'channel', id: channelId, reason: 'stop' });
  await person.write('unfreeze', { scope: 'channel', id: channelId });
  expect(await statementsOf(send)).toEqual(plain);
  // Negative control: a turn in the metadata costs one more statement.
  const turn = { model: 'm', tokensIn: 1, tokensOut: 1, costMicros: 1, ms: 1 };
  await person.say(channelId, 'go on');
  const withTurn = await statementsOf(() => agent.say(channelId, 'x', { metadata: { turn } }));
  expect([...withTurn].sort()).toEqual([...plain, 'chat_store_write_ledger'].sort());
});

// The fault: 100,000 asks that were due at one moment took minutes, because each had six statements of its own.
it('the expiry of many asks costs as many statements as that of one', async () => {
  const person = agentOf(store, 'pia', { kind: 'person' });
  const channelId = 'asks';
  await person.write('channel.create', { channelId, name: 'Asks' });
  await person.write('member.add', { channelId, agentId: 'ana' });
  const expire = async (count: number) => {
    const ask = { channelId, to: ['ana'], content: 'x', deadlineMs: 60_000 };
    for (let n = 0; n < count; n += 1) await person.write('ask.create', ask);
    server.query('update asks set due_at = 1 where due_at is not null');
    const due = await store.due();
    expect(due).toHaveLength(count);
    return statementsOf(() => Promise.all(due.map((expiry) => store.expire(expiry))));
  };
  const one = await expire(1);
  expect(one.at(-1)).toBe('COMMIT');
  expect(await expire(20)).toEqual(one);
});
