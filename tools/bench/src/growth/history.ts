import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createChatStore } from '@openclaw/chat-store';
import { methods } from '@openclaw/protocol';
import { connectRpc, startRedis, temporaryFolder } from '@openclaw/test-support';
import { startFleet } from '../compare/fleet/fleet-proxy.ts';
import { measureSends, sendColumns } from './sends.ts';
import { ownHub, type Series } from './series.ts';
import { medianMs } from './timed.ts';

const agents = 10;
const perSecond = 200;
const channelId = 'bench-0';
const readsMeasured = 50;

/** Fills the tables `log` and `messages` as if the given number of messages had been sent. */
async function writeHistory(databaseUrl: string, messages: number): Promise<void> {
  const store = await createChatStore({ url: databaseUrl });
  const actor = { agentId: 'owner', isAdmin: false };
  const must = async (outcome: Promise<{ readonly ok: boolean }>) => {
    if (!(await outcome).ok) throw new Error(`the store refused: ${JSON.stringify(await outcome)}`);
  };
  const channel = { channelId, name: channelId, kind: 'private' };
  const create = methods['channel.create'].params.parse(channel);
  await must(store.append(actor, 'channel.create', create));
  for (let index = 0; index < agents; index += 1) {
    const addition = { channelId, agentId: `agent-${index}` };
    await must(store.append(actor, 'member.add', methods['member.add'].params.parse(addition)));
  }
  const { params } = methods['message.send'];
  const content = `message ${'lorem ipsum '.repeat(8)}`;
  await must(store.append(actor, 'message.send', params.parse({ channelId, content })));
  await store.close();
  copyMessage(databaseUrl.replace(/^sqlite:/, ''), messages - 1);
}

/** Copies rows by SQL, which is far faster than the store. */
function copyMessage(path: string, copies: number): void {
  const database = new DatabaseSync(path);
  // The log's JSON text of a message contains its seq and two ids, so these are replaced in each copy.
  database.exec(`
    begin;
    create temp table copies as
      with recursive counted (k) as (select 1 union all select k + 1 from counted where k < ${copies})
      select k, printf('01900000-0000-7000-8000-%012x', k) as event_id,
        printf('01900000-0000-7000-9000-%012x', k) as message_id from counted where k <= ${copies};
    insert into log (channel_id, seq, id, type, sender_id, timestamp, message_id, envelope)
      select channel_id, seq + k, copies.event_id, type, sender_id, timestamp, copies.message_id,
        replace(replace(replace(envelope, id, copies.event_id), log.message_id, copies.message_id),
          '"seq":' || seq, '"seq":' || (seq + k))
      from copies, (select * from log order by seq desc limit 1) as log order by k;
    insert into messages (channel_id, seq, id, sender_id, text_seq, ordinal, sender_ordinal)
      select channel_id, seq + k, copies.message_id, sender_id, seq + k, ordinal + k, sender_ordinal + k
      from copies, (select * from messages order by seq desc limit 1) as newest order by k;
    commit;
  `);
  database.close();
}

export const historyGrowth: Series = {
  name: 'growth: history',
  description: `a channel with older messages: ${perSecond} messages/s to ${agents} agents; then a page of the newest and of the middle of its history; and a resume after 100 missed messages`,
  unit: 'messages before',
  sizes: [1_000, 50_000, 3_000_000],
  columns: [
    ...sendColumns,
    { key: 'newestPageMs', title: 'newest page ms', digits: 2 },
    { key: 'middlePageMs', title: 'middle page ms', digits: 2 },
    { key: 'resumeMs', title: 'resume ms', digits: 2 },
  ],
  fitted: ['sumMicros', 'p50Ms', 'newestPageMs', 'middlePageMs', 'resumeMs'],
  async run(messages, effort) {
    await using folder = await temporaryFolder('growth');
    const databaseUrl = `sqlite:${join(folder.path, 'hub.sqlite')}`;
    await writeHistory(databaseUrl, messages);
    const system = ownHub(databaseUrl);
    await using redis = await startRedis();
    await using hub = await system.start(redis);
    const members = Array.from({ length: agents }, (_, index) => ({
      agentId: `agent-${index}`,
      channelIds: [channelId],
    }));
    const { dialect } = system;
    const setup = { dialect, ports: [hub.port], members, readsFrames: false };
    await using fleet = await startFleet(setup, effort.signal);
    await fleet.connect();
    const { values, notes } = await measureSends(fleet, [hub], perSecond, effort);

    await using member = await connectRpc(`ws://127.0.0.1:${hub.port}/v1/ws?agent=agent-0`);
    const { epoch } = member.welcome as { epoch: string };
    const page = { channelId, limit: 50 };
    const { head } = (await member.call('message.history', page)) as { head: number };
    const topics = [{ channelId, since: head - 100 }];
    const middle = Math.floor(messages / 2);
    let paged = 0;
    const call = (method: string, params: () => object) =>
      medianMs(readsMeasured, () => member.call(method, params()));
    return {
      values: {
        ...values,
        newestPageMs: await call('message.history', () => page),
        // The page is a different one each time, so that no cache answers.
        middlePageMs: await call('message.history', () => ({ ...page, before: middle + paged++ })),
        resumeMs: await call('subscribe', () => ({ topics, epoch })),
      },
      notes,
    };
  },
};
