import { backup, DatabaseSync } from 'node:sqlite';
import { rename, rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createChatStore } from '@openclaw/chat-store';
import { methods } from '@openclaw/protocol';
import { startRedis, waitFor, type RpcSocket } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';
import { contents, isMessage } from '../testing/messages.ts';
const hubs: TestHub[] = [];
const path = () => database.url.slice('sqlite:'.length);

async function start(): Promise<TestHub> {
  const hub = await startTestHub({
    REDIS_URL: redis.url,
    HUB_DB_URL: database.url,
    LOG_LEVEL: 'fatal',
  });
  hubs.push(hub);
  await waitFor(() => hub.redis.available, { what: 'Redis for the hub' });
  return hub;
}
const stop = () => Promise.all(hubs.splice(0).map((hub) => hub.close()));

const redis = closeAfterAll(await startRedis());
const database = closeAfterAll(await temporaryDatabase());
afterEach(stop);

async function copy(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from);
  // Repeats a copy that fails because a hub writes to the file.
  const isCopied = () =>
    backup(source, to).then(
      () => true,
      () => false,
    );
  await waitFor(isCopied, { what: `a copy of ${from}` });
  source.close();
}

async function restorable(channelId: string) {
  const [hubA, hubB] = [await start(), await start()];
  const [ana, ben] = [await hubA.connect('ana'), await hubB.connect('ben')];
  const send = (content: string) => ana.call('message.send', { channelId, content });
  await ana.call('channel.create', { channelId, name: channelId });
  await ben.call('channel.join', { channelId });
  for (const socket of [ana, ben]) await socket.call('subscribe', { topics: [{ channelId }] });
  await send('kept');
  const backedUp = `${path()}.${channelId}`;
  await copy(path(), backedUp);
  for (const content of ['lost', 'lost too']) await send(content);
  await ben.event(isMessage('lost too'));
  return { ana, ben, backedUp };
}

/**
 * On a busy machine a hub may serve clients before Redis has answered, so the test reconnects until the epoch has
 * changed.
 */
const connectPast = (hub: TestHub, epoch: string) =>
  waitFor(
    async () => {
      const socket = await hub.connect('ana');
      if (socket.welcome.epoch !== epoch) return socket;
      await socket.close();
      return null;
    },
    { what: 'another epoch' },
  );

const discontinuityOf = (socket: RpcSocket, channelId: string) =>
  socket.notification('discontinuity', (params) => params.channelId === channelId, 20_000);

describe('a SQLite database that was restored without a new epoch', () => {
  // The race: after the restore, no call fails and no event is committed. Hubs notice the restore only because the log
  // is shorter. They compare heads every ten seconds.
  it('is noticed while hubs run, though no check fails and nobody writes', async () => {
    const channelId = 'quiet';
    const { ana, ben, backedUp } = await restorable(channelId);
    await copy(backedUp, path());
    for (const socket of [ana, ben]) {
      expect(await discontinuityOf(socket, channelId)).toEqual({
        channelId,
        head: 3,
        reason: 'epoch',
      });
      expect(await contents(socket, channelId)).toEqual(['kept']);
    }
    await ben.call('message.send', { channelId, content: 'new' });
    for (const socket of [ana, ben]) {
      expect((await socket.event(isMessage('new'))).seq).toBe(4);
    }
  }, 30_000);

  // The restored log has grown past the lost events, so its head is not lower than the remembered head.
  it('is noticed when it holds different events at the seqs of the lost ones', async () => {
    const channelId = 'outgrown';
    const { ana, ben, backedUp } = await restorable(channelId);
    const offline = await createChatStore({ url: `sqlite:${backedUp}` });
    for (let i = 1; i <= 5; i++) {
      const params = methods['message.send'].params.parse({ channelId, content: `other ${i}` });
      await offline.append({ agentId: 'ben', isAdmin: false }, 'message.send', params);
    }
    await offline.close();
    await copy(backedUp, path());
    for (const socket of [ana, ben]) {
      expect(await discontinuityOf(socket, channelId)).toMatchObject({ head: 8, reason: 'epoch' });
      expect(socket.events.some(isMessage('other 5'))).toBe(false);
      expect(await contents(socket, channelId)).toContain('other 1');
    }
  });

  it('makes hubs refuse calls when its file replaced theirs, and is served after a restart', async () => {
    const channelId = 'moved';
    const { ana, backedUp } = await restorable(channelId);
    await rename(backedUp, path());
    const send = () => ana.call('message.send', { channelId, content: 'into the void?' });
    // The commit may be the first to notice the moved file, and then its outcome is unknown.
    await expect(send()).rejects.toMatchObject({
      code: expect.stringMatching(/^(timeout|unavailable)$/),
    });
    await expect(send()).rejects.toMatchObject({ code: 'unavailable' });
    const ready = await waitFor(async () => {
      const { status } = await hubs[0]!.request('ana', 'GET', '/readyz');
      return status === 503;
    });
    expect(ready).toBe(true);
    await stop();
    for (const end of ['-wal', '-shm']) await rm(`${path()}${end}`, { force: true });
    const again = await (await start()).connect('ana');
    expect(await contents(again, channelId)).toEqual(['kept']);
  });

  // The race: the copy is put in place while no hub runs. Invariant: Redis remembers the newest committed event, so
  // the epoch changes before any client is served.
  it('is noticed by the hubs that start when all were stopped meanwhile', async () => {
    const channelId = 'stopped';
    const { ana, backedUp } = await restorable(channelId);
    const epoch = ana.welcome.epoch as string;
    await stop();
    await copy(backedUp, path());
    const [hubA, hubB] = await Promise.all([start(), start()]);
    const again = await connectPast(hubA, epoch);
    const changed = again.welcome.epoch as string;
    expect((await connectPast(hubB, epoch)).welcome.epoch).toBe(changed);
    // The restored log grows past the client's seq, with other events.
    for (const content of ['new', 'new too', 'and more']) {
      await again.call('message.send', { channelId, content });
    }
    expect(await contents(again, channelId)).toEqual(['kept', 'new', 'new too', 'and more']);
    const ask = async (since: number, asked: string) =>
      (await again.call('subscribe', { topics: [{ channelId, since }], epoch: asked })).topics[0];
    expect(await ask(5, epoch)).toMatchObject({ resumed: false, events: [], head: 6 });
    expect(await ask(5, changed)).toMatchObject({ resumed: true, head: 6 });
    await stop();
    // Negative control: a restart without a restore does not change the epoch.
    const third = await (await start()).connect('ana');
    expect(third.welcome.epoch).toBe(changed);
  });

  // The race: the copy is put in place while no hub runs, and Redis comes back only after the hub serves clients.
  it('is noticed as soon as Redis is there', async () => {
    const channelId = 'later';
    const { ana, backedUp } = await restorable(channelId);
    const epoch = ana.welcome.epoch as string;
    await stop();
    await copy(backedUp, path());
    redis.freeze();
    const hub = await startTestHub({
      REDIS_URL: redis.url,
      HUB_DB_URL: database.url,
      LOG_LEVEL: 'fatal',
    });
    hubs.push(hub);
    const again = await hub.connect('ana');
    expect(again.welcome.epoch).toBe(epoch);
    await again.call('subscribe', { topics: [{ channelId, since: 2 }], epoch });
    redis.thaw();
    expect(await discontinuityOf(again, channelId)).toMatchObject({ head: 3, reason: 'epoch' });
  });

  // Redis no longer remembers the newest committed event, so a hub that starts cannot notice the restore.
  it('resumes no client from beyond its head when Redis was lost too', async () => {
    const channelId = 'forgotten';
    const { ana, backedUp } = await restorable(channelId);
    const epoch = ana.welcome.epoch as string;
    await stop();
    await copy(backedUp, path());
    await redis.command('FLUSHALL');
    const again = await (await start()).connect('ana');
    expect(again.welcome.epoch).toBe(epoch);
    const ask = async (since: number, asked = epoch) =>
      (await again.call('subscribe', { topics: [{ channelId, since }], epoch: asked })).topics[0];
    expect(await ask(5)).toMatchObject({ resumed: false, events: [], head: 3 });
    expect(await ask(2, 'of another epoch')).toMatchObject({ resumed: false, events: [], head: 3 });
    expect(await ask(2)).toMatchObject({ resumed: true, head: 3 });
  });
});
