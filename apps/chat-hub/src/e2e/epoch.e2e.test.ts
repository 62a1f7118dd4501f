import { backup, DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { createChatStore } from '@openclaw/chat-store';
import type { RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { openLogWriter } from '../testing/log-writer.ts';
import { range, seqsOf } from '../testing/seqs.ts';
import { isMessage } from '../testing/messages.ts';
import { startTwoHubs } from '../testing/two-hubs.ts';

const { database, hubA, hubB } = await startTwoHubs({ LOG_LEVEL: 'error' });
const writer = closeAfterAll(await openLogWriter(database));

async function pair(channelId: string) {
  const ana = await hubA.connect('ana');
  const ben = await hubB.connect('ben');
  await ana.call('channel.create', { channelId, name: channelId });
  await ana.call('member.add', { channelId, agentId: 'ben' });
  for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
  return { ana, ben };
}

async function continued(socket: RpcSocket, channelId: string) {
  const params = await socket.notification('discontinuity', (gap) => gap.channelId === channelId);
  const at = socket.received.findIndex((object) => object.params === params);
  return {
    params,
    later: () =>
      socket.received
        .slice(at)
        .filter(({ method, params: event }) => method === 'event' && event.channelId === channelId)
        .map((object) => object.params)
        .filter(({ seq }) => seq !== null),
  };
}

describe('a new epoch of the database', () => {
  it('is announced to every live socket, and live events continue from the announced head', async () => {
    const channelId = 'goes-on';
    const { ana, ben } = await pair(channelId);
    const direct = await ana.call('direct.send', { agentId: 'ben', content: 'before' });
    await ben.event(isMessage('before'));
    let isStopped = false;
    const stream = (async () => {
      while (!isStopped) await ana.call('message.send', { channelId, content: 's' });
    })();
    const epoch = await writer.store.changeEpoch(writer.store.epoch);

    const discontinuities = [];
    for (const socket of [ana, ben]) {
      const ofChannel = await continued(socket, channelId);
      expect(ofChannel.params).toMatchObject({ reason: 'epoch', head: expect.any(Number) });
      const ofDirect = await continued(socket, direct.channelId);
      expect(ofDirect.params).toMatchObject({ reason: 'epoch', head: 1 });
      discontinuities.push({ ...ofChannel, ofDirect });
    }
    isStopped = true;
    await stream;
    const last = await ana.call('message.send', { channelId, content: 'last' });
    await ana.call('direct.send', { agentId: 'ben', content: 'after' });
    for (const [index, socket] of [ana, ben].entries()) {
      await socket.event(isMessage('last'));
      await socket.event(isMessage('after'));
      const { params, later, ofDirect } = discontinuities[index]!;
      expect(seqsOf(later())).toEqual(range(params.head + 1, last.seq));
      expect(new Set(later().map((envelope) => envelope.epoch))).toEqual(new Set([epoch]));
      expect(seqsOf(ofDirect.later())).toEqual([2]);
    }
    await Promise.all([ana.close(), ben.close()]);
  });

  it('accepts new subscribers, and resumes only clients of this epoch', async () => {
    const channelId = 'newcomers';
    const { ana, ben } = await pair(channelId);
    const before = ana.welcome.epoch as string;
    await ana.call('message.send', { channelId, content: 'kept' });
    const epoch = await writer.store.changeEpoch(before);
    for (const socket of [ana, ben]) await continued(socket, channelId);

    for (const hub of [hubA, hubB]) {
      await using socket = await hub.connect('ben');
      expect(socket.welcome.epoch).toBe(epoch);
      const topics = [{ channelId, since: 1 }];
      const old = await socket.call('subscribe', { topics, epoch: before });
      expect(old.topics).toMatchObject([{ resumed: false, events: [], head: 3 }]);
      const current = await socket.call('subscribe', { topics, epoch });
      expect(current.topics).toMatchObject([{ resumed: true, head: 3 }]);
      expect(seqsOf(current.topics[0].events)).toEqual([2, 3]);
    }
    await Promise.all([ana.close(), ben.close()]);
  });

  // The race: hubs and Redis hold events that a restored database lacks. Invariants: lost events are not served,
  // reused seqs are delivered, and a former member receives nothing.
  it('of a restored copy serves no event that the copy lacks', async () => {
    const channelId = 'restored';
    const { ana, ben } = await pair(channelId);
    const contents = async (socket: RpcSocket) =>
      ((await socket.call('message.history', { channelId })).messages as { content: string }[]).map(
        ({ content }) => content,
      );
    await ana.call('message.send', { channelId, content: 'kept' });

    const path = database.url.slice('sqlite:'.length);
    const copy = `${path}.copy`;
    const source = new DatabaseSync(path);
    await backup(source, copy);
    source.close();
    const cem = await hubB.connect('cem');
    await cem.call('channel.join', { channelId });
    await cem.call('subscribe', { topics: [{ channelId }] });
    for (const content of ['lost', 'lost too'])
      await ana.call('message.send', { channelId, content });
    for (const socket of [ana, ben]) {
      await socket.event(isMessage('lost too'));
      expect(await contents(socket)).toEqual(['kept', 'lost', 'lost too']);
    }

    // As in a restore, the copy gets its new epoch before it replaces the database.
    const restored = await createChatStore({ url: `sqlite:${copy}` });
    await restored.changeEpoch(restored.epoch);
    await restored.close();
    const older = new DatabaseSync(copy);
    await backup(older, path);
    older.close();

    for (const socket of [ana, ben, cem]) {
      const { params } = await continued(socket, channelId);
      expect(params).toEqual({ channelId, head: 3, reason: 'epoch' });
    }
    for (const socket of [ana, ben]) expect(await contents(socket)).toEqual(['kept']);
    await expect(contents(cem)).rejects.toMatchObject({ code: 'forbidden' });
    const { seq } = await ben.call('message.send', { channelId, content: 'new' });
    expect(seq).toBe(4);
    for (const socket of [ana, ben]) {
      await socket.event(isMessage('new'));
      const { later } = await continued(socket, channelId);
      expect(seqsOf(later())).toEqual([4]);
      expect(await contents(socket)).toEqual(['kept', 'new']);
    }
    await ben.call('direct.send', { agentId: 'cem', content: 'to cem' });
    await cem.event(isMessage('to cem'));
    expect(cem.events.some(isMessage('new'))).toBe(false);
    await Promise.all([ana.close(), ben.close(), cem.close()]);
  });
});
