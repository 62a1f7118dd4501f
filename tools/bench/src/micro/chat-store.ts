import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createChatStore } from '@openclaw/chat-store';
import { methods } from '@openclaw/protocol';
import { temporaryFolder } from '@openclaw/test-support';
import type { Comparison, Contestant } from './contestant.ts';

const channelId = 'store';
const agent = { agentId: 'agent', isAdmin: false };
const content = 'lorem ipsum '.repeat(17);

/** For comparison with the store: a table with the same key, and commits that are equally durable. */
async function plainInserts(perTransaction: number): Promise<Contestant> {
  const folder = await temporaryFolder('micro');
  const database = new DatabaseSync(join(folder.path, 'plain.sqlite'));
  database.exec('pragma journal_mode = wal; pragma synchronous = full');
  database.exec(
    'create table log (channel text, seq integer, sender text, client_id text, at integer, text text, primary key (channel, seq)) without rowid',
  );
  const insert = database.prepare('insert into log values (?, ?, ?, ?, ?, ?)');
  let seq = 0;
  return {
    name: `plain inserts, ${perTransaction === 1 ? 'each' : `${perTransaction} in`} a transaction`,
    promise:
      perTransaction === 1
        ? 'one row, no rights, no repeats, this thread blocked'
        : `the same, and durable only with the ${perTransaction}th`,
    async operate() {
      if (seq % perTransaction === 0) database.exec('begin immediate');
      seq += 1;
      insert.run(channelId, seq, agent.agentId, randomUUID(), Date.now(), content);
      if (seq % perTransaction === 0) database.exec('commit');
    },
    async [Symbol.asyncDispose]() {
      database.close();
      await folder.remove();
    },
  };
}

export const messageAppends: Comparison = {
  name: 'chat-store',
  description: 'commits a message of 200 characters to SQLite with synchronous=FULL',
  concurrency: 50,
  contestants: [
    async (): Promise<Contestant> => {
      const folder = await temporaryFolder('micro');
      const store = await createChatStore({ url: `sqlite:${join(folder.path, 'hub.sqlite')}` });
      const channel = { channelId, name: channelId };
      await store.append(agent, 'channel.create', methods['channel.create'].params.parse(channel));
      const { params } = methods['message.send'];
      return {
        name: '@openclaw/chat-store',
        promise: 'rights, seq, idempotency, search, reads from other threads',
        async operate() {
          const message = params.parse({ channelId, content, clientMessageId: randomUUID() });
          const outcome = await store.append(agent, 'message.send', message);
          if (!outcome.ok) throw new Error(outcome.message);
        },
        async [Symbol.asyncDispose]() {
          await store.close();
          await folder.remove();
        },
      };
    },
    () => plainInserts(1),
    () => plainInserts(50),
  ],
};
