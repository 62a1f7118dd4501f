import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createChatStore, type Actor, type ChatStore } from '@openclaw/chat-store';
import { openMaintenance } from '@openclaw/chat-store/maintenance';
import { methods, type ParamsInputOf, type ResultOf } from '@openclaw/protocol';
import { startPostgres, temporaryFolder } from '@openclaw/test-support';
import type { Effort, Measured } from '../compare/works/work.ts';
import type { Series } from './series.ts';
import { sqliteFile, writeMessages, type BenchDatabase } from './written-messages.ts';

const channels = 100;
const everyMs = 1_000;
const owner: Actor = { agentId: 'owner', isAdmin: false };
/** The guest is a member of only one channel, which has few messages. */
const guest: Actor = { agentId: 'guest', isAdmin: false };
const quiet = 'quiet';
const quietMessages = 100;
/** This agent is a member of more channels than a search looks up in the index. */
const crowd: Actor = { agentId: 'crowd', isAdmin: false };
const crowdChannels = 400;
const callsMeasured = 300;

const searches = {
  common: { actor: owner, query: 'the', title: 'commonest word' },
  guest: { actor: guest, query: 'the', title: 'commonest word, one quiet channel of 101' },
  crowd: { actor: crowd, query: 'the', title: 'commonest word, 400 other channels' },
  two: { actor: owner, query: 'tenth w7', title: 'two words' },
  rare: { actor: owner, query: 'w19998', title: 'rare word' },
  absent: { actor: owner, query: 'absent', title: 'absent word' },
  phrase: { actor: owner, query: '"w1 w2"', title: 'phrase of common words' },
  never: { actor: owner, query: '"w1 the"', title: 'phrase that never occurs' },
  prefix: { actor: owner, query: 'w1*', title: 'common prefix' },
  rarePrefix: { actor: owner, query: 'w1999*', title: 'rare prefix' },
} as const;

async function must(outcome: Promise<{ readonly ok: boolean }>): Promise<void> {
  const answer = await outcome;
  if (!answer.ok) throw new Error(`the store refused: ${JSON.stringify(answer)}`);
}

async function createChannels(store: ChatStore): Promise<void> {
  const create = async (actor: Actor, channelId: string) => {
    const channel = { channelId, name: channelId, kind: 'private' } as const;
    const params = methods['channel.create'].params.parse(channel);
    await must(store.append(actor, 'channel.create', params));
  };
  for (let n = 0; n < channels; n += 1) await create(owner, `bench-${n}`);
  for (let n = 0; n < crowdChannels; n += 1) await create(crowd, `crowd-${n}`);
  await create(guest, `${quiet}0`);
}

/** The other rows are made from this row of a real message. */
async function templateOf(store: ChatStore) {
  const channelId = 'template';
  const content = 'CONTENT';
  const create = methods['channel.create'].params.parse({ channelId, name: channelId });
  await must(store.append(owner, 'channel.create', create));
  const send = methods['message.send'].params.parse({ channelId, content });
  await must(store.append(owner, 'message.send', send));
  const { events, epoch } = await store.logPage(channelId, 1, 1, 1e6);
  const [event] = events;
  if (!event) throw new Error('the message is not in the log');
  const { event: sent } = JSON.parse(event.json) as {
    readonly event: { readonly message: { readonly id: string } };
  };
  return {
    // The log stores envelopes without the epoch.
    envelope: event.json.slice(0, -`,"epoch":${JSON.stringify(epoch)}}`.length),
    ...{ id: sent.message.id, channelId, seq: 2, timestamp: event.timestamp },
    ...{ content, senderId: owner.agentId },
  };
}

async function measureOn(database: BenchDatabase, messages: number, bytes: () => number) {
  const empty = await createChatStore({ url: database.url });
  await createChannels(empty);
  const template = await templateOf(empty);
  await empty.close();
  const spread = { messages, channels, prefix: 'bench-', everyMs };
  writeMessages(database, spread, template);
  const lengthMs = Math.ceil(messages / channels) * everyMs;
  const seldom = { channels: 1, messages: quietMessages, prefix: quiet };
  writeMessages(database, { ...seldom, everyMs: lengthMs / quietMessages }, template);
  // Sets the state that the migration leaves in a database with messages.
  database.run(`update search_feed set epoch = '', check_after = '', backfill_before = '~'`);
  database.run('delete from search_fed');
  database.run(`insert into search_fed (channel_id, seq)
    select channel_id, max(seq) from log group by channel_id`);

  const bytesBefore = bytes();
  const maintenance = await openMaintenance(database.url);
  const startMs = performance.now();
  await maintenance.indexMessages();
  const indexedMs = performance.now() - startMs;
  await maintenance.close();
  const store = await createChatStore({ url: database.url, timeoutMs: 60_000 });
  try {
    const search = async (actor: Actor, params: ParamsInputOf<'message.search'>) => {
      const parsed = methods['message.search'].params.parse(params);
      const answer = await store.readJson(actor, 'message.search', parsed);
      if (!answer.ok) throw new Error(`the search was refused: ${answer.message}`);
      return JSON.parse(Buffer.concat(answer.json).toString()) as ResultOf<'message.search'>;
    };
    if ((await search(owner, { query: 'first' })).hits.length !== 1)
      throw new Error('the oldest message is not in the index');
    const values: Record<string, number> = {
      indexSeconds: indexedMs / 1_000,
      indexBytes: (bytes() - bytesBefore) / messages,
    };
    for (const [key, { actor, query }] of Object.entries(searches)) {
      const times: number[] = [];
      for (let call = 0; call < callsMeasured; call += 1) {
        // The first call reads the newest page. The others read pages from the whole history.
        const before = call === 0 ? null : Date.now() - Math.floor(Math.random() * lengthMs);
        const fromMs = performance.now();
        await search(actor, { query, before });
        times.push(performance.now() - fromMs);
      }
      times.sort((a, b) => a - b);
      values[`${key}P50`] = times[Math.floor(0.5 * times.length)] ?? 0;
      values[key] = times[Math.ceil(0.99 * times.length) - 1] ?? 0;
    }
    return { values, notes: [] };
  } finally {
    await store.close();
  }
}

function searchSeries(name: string, run: Series['run']): Series {
  return {
    name: `growth: ${name}`,
    description: `message.search on ${name}, messages of 13 words in ${channels} channels: the time to index them all without a pause, and p99 of ${callsMeasured} searches for each query, from the newest message and from places all over the history`,
    unit: 'messages',
    sizes: [10_000, 100_000, 1_000_000],
    columns: [
      { key: 'indexSeconds', title: 'indexed in s', digits: 0 },
      { key: 'indexBytes', title: 'index bytes a message', digits: 0 },
      ...Object.entries(searches).map(([key, { title }]) => ({ key, title, digits: 1 })),
    ],
    fitted: Object.keys(searches),
    run,
  };
}

export const sqliteSearchGrowth = searchSeries(
  'search-sqlite',
  async (messages: number, _effort: Effort): Promise<Measured> => {
    await using folder = await temporaryFolder('growth');
    const path = join(folder.path, 'hub.sqlite');
    const bytes = () => {
      const database = new DatabaseSync(path);
      database.exec('pragma wal_checkpoint(truncate)');
      database.close();
      return statSync(path).size;
    };
    return await measureOn(sqliteFile(path), messages, bytes);
  },
);

export const postgresSearchGrowth = searchSeries(
  'search-postgres',
  async (messages: number, _effort: Effort): Promise<Measured> => {
    await using server = await startPostgres();
    const bytes = () => Number(server.query('select pg_database_size(current_database())'));
    const run = (sql: string) => void server.query(sql);
    return await measureOn({ url: server.url, dialect: 'postgres', run }, messages, bytes);
  },
);
