import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { agentOf, channelWithTwo, uniqueId } from '../contract/world.contract.ts';
import { openDatabase } from './database.ts';
import { createChatStore, type ChatStore, type ChatStoreOptions } from '../index.ts';

describe('a chat store on SQLite', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const stores: ChatStore[] = [];
  const newPath = () => join(folder.path, `${uniqueId('hub')}.sqlite`);
  const open = async (path: string, options: Partial<ChatStoreOptions> = {}) => {
    const store = await createChatStore({ url: `sqlite:${path}`, ...options });
    stores.push(store);
    return store;
  };
  const refusal = (path: string, options: Partial<ChatStoreOptions> = {}) =>
    open(path, options).then(
      () => ({ code: 'opened', message: '' }),
      (error: { code: string; message: string }) => error,
    );

  beforeAll(async () => {
    folder = await temporaryFolder('sqlite');
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await folder.remove();
  });

  it('creates its file and the folders above it', async () => {
    const store = await open(join(folder.path, 'not', 'there', 'yet', 'hub.sqlite'));
    expect(await store.health()).toMatchObject({ status: 'ok', engine: 'sqlite' });
  });

  it('has a commit on the disk before it acknowledges it', () => {
    const database = openDatabase(newPath(), 100, false);
    expect(database.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 });
    expect(database.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
  });

  it('keeps everything over a restart, its epoch too', async () => {
    const path = newPath();
    const first = await open(path);
    const { channelId, owner } = await channelWithTwo(first);
    await owner.say(channelId, 'kept', { clientMessageId: 'c1' });
    await first.close();
    const second = await open(path);
    expect(second.epoch).toBe(first.epoch);
    const again = agentOf(second, owner.agentId);
    expect(await again.say(channelId, 'kept', { clientMessageId: 'c1' })).toMatchObject({
      seq: 3,
      duplicate: true,
    });
  });

  it('has every message it acknowledged after SIGKILL', async () => {
    const path = newPath();
    const writer = startProcess(
      process.execPath,
      [
        ...['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
        ...['--input-type=module', '--eval', writerProgram, path],
      ],
      { cwd: import.meta.dirname },
    );
    const acked = () => Number(writer.output().trim().split('\n').at(-1));
    await waitFor(() => acked() > 50, { what: '50 acknowledged messages', timeoutMs: 25_000 });
    await writer.stop('SIGKILL');
    const last = acked();
    const store = await open(path);
    const { events, head } = await store.logPage('general', 0, 100_000, 1e9);
    expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index + 1));
    expect(head).toBeGreaterThanOrEqual(last);
    expect(events.at(-1)?.seq).toBe(head);
  });

  it('opens twice at once on a new file: one migrates, both work', async () => {
    const path = newPath();
    const [a, b] = await Promise.all([open(path), open(path)]);
    expect(a.epoch).toBe(b.epoch);
    const { channelId, owner } = await channelWithTwo(a);
    expect((await agentOf(b, owner.agentId).say(channelId, 'x')).seq).toBe(3);
  });

  it('answers within its limit while another process holds the lock, without blocking the event loop', async () => {
    const path = newPath();
    const store = await open(path, { lockTimeoutMs: 400, timeoutMs: 1500 });
    const { channelId, owner } = await channelWithTwo(store);
    const locker = new DatabaseSync(path);
    locker.exec('BEGIN IMMEDIATE');
    let longestMs = 0;
    let lastMs = performance.now();
    const ticking = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 5);
    const startMs = performance.now();
    const refused = await owner.outcome('message.send', { channelId, content: 'x' });
    clearInterval(ticking);
    expect(refused).toMatchObject({
      ok: false,
      code: 'unavailable',
      retryAfterMs: expect.any(Number),
    });
    expect(performance.now() - startMs).toBeGreaterThan(350);
    expect(performance.now() - startMs).toBeLessThan(1500);
    // Another thread waited for the lock, so this thread was not blocked. A loaded machine may delay it, but not by
    // 300 ms.
    expect(longestMs).toBeLessThan(300);
    await expect(store.beat('hub')).rejects.toMatchObject({ code: 'unavailable' });
    expect((await owner.history(channelId)).head).toBe(2);
    locker.exec('ROLLBACK');
    locker.close();
    expect((await owner.say(channelId, 'y')).seq).toBe(3);
  });

  it('refuses a file that is no database, a damaged one, and a path that cannot be one', async () => {
    const text = newPath();
    await writeFile(text, 'This is a letter, not a database. '.repeat(100));
    expect(await refusal(text)).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(text),
    });

    const damaged = newPath();
    const store = await open(damaged);
    await channelWithTwo(store);
    await store.close();
    const bytes = await readFile(damaged);
    bytes.fill(0xff, 100);
    await writeFile(damaged, bytes);
    await rm(`${damaged}-wal`, { force: true });
    expect(await refusal(damaged)).toMatchObject({ code: 'corrupt' });

    const directory = newPath();
    await mkdir(directory);
    expect(await refusal(directory)).toMatchObject({ code: 'unwritable' });
    expect(await refusal(join(text, 'below', 'a-file.sqlite'))).toMatchObject({
      code: 'unwritable',
    });
  });

  it('refuses to open a file that is locked, and a schema of a newer release', async () => {
    const path = newPath();
    await (await open(path)).close();
    const locker = new DatabaseSync(path);
    locker.exec('BEGIN EXCLUSIVE');
    expect(await refusal(path, { lockTimeoutMs: 100 })).toMatchObject({ code: 'locked' });
    locker.exec('ROLLBACK');
    locker.exec(`insert into chat_store_migrations values ('9999_from_the_future', '2099-01-01')`);
    locker.close();
    expect(await refusal(path)).toMatchObject({
      name: 'ChatStoreError',
      code: 'newer_schema',
      message: expect.stringContaining('newer release'),
    });
  });

  // The race: a backup is moved over the file of a running hub, which keeps the old file open and would lose its next
  // commits.
  it('refuses writes once another file has replaced its own', async () => {
    const path = newPath();
    const otherPath = newPath();
    const [store, other] = [await open(path), await open(otherPath)];
    const { channelId, owner } = await channelWithTwo(store);
    await other.close();
    await rename(otherPath, path);
    // The first commit may find the replaced file. The outcome is then unknown: `timeout`.
    const first = await owner.refusal('message.send', { channelId, content: 'x' });
    expect(['timeout', 'unavailable']).toContain(first);
    expect(await owner.refusal('message.send', { channelId, content: 'y' })).toBe('unavailable');
    expect((await store.health()).status).toBe('down');
    await store.close();
    // A correct restore also removes the write-ahead log of the old file.
    for (const end of ['-wal', '-shm']) await rm(`${path}${end}`, { force: true });
    const again = await open(path);
    expect([again.epoch, (await again.logPage(channelId, 0, 1, 1)).head]).toEqual([other.epoch, 0]);
  });

  it('refuses every call once it is closed', async () => {
    const store = await open(newPath());
    const { channelId, owner } = await channelWithTwo(store);
    const last = owner.outcome('message.send', { channelId, content: 'on the way' });
    await store.close();
    await store.close();
    expect(await last).toMatchObject({ ok: true });
    expect(await owner.refusal('message.send', { channelId, content: 'x' })).toBe('unavailable');
    expect(await owner.readRefusal('channel.get', { channelId })).toBe('unavailable');
    await expect(store.changes(null)).rejects.toMatchObject({ code: 'closed' });
    expect(await store.health()).toMatchObject({ status: 'down', latencyMs: null });
  });

  it('reports its groups', async () => {
    const groups: number[] = [];
    const store = await createChatStore(
      { url: `sqlite:${newPath()}`, maxGroup: 4 },
      {
        onGroup: ({ size, durationMs }) => (
          expect(durationMs).toBeGreaterThan(0),
          groups.push(size)
        ),
      },
    );
    stores.push(store);
    const { channelId, owner } = await channelWithTwo(store);
    groups.length = 0;
    await Promise.all(Array.from({ length: 10 }, (_, i) => owner.say(channelId, `${i}`)));
    expect(groups).toEqual([4, 4, 2]);
    expect(store.queueLength).toBe(0);
  });
});

const writerProgram = `
  import { createChatStore } from '@openclaw/chat-store';
  import { methods } from '@openclaw/protocol';
  const store = await createChatStore({ url: 'sqlite:' + process.argv[1] });
  const actor = { agentId: 'writer', isAdmin: false };
  const append = (method, params) => store.append(actor, method, methods[method].params.parse(params));
  await append('channel.create', { name: 'G', channelId: 'general' });
  for (;;) {
    const send = (content) => append('message.send', { channelId: 'general', content });
    const outcomes = await Promise.all([send('a'), send('b'), send('c')]);
    const seqs = outcomes.map((outcome) => outcome.result.seq);
    await new Promise((resolve) => process.stdout.write(Math.max(...seqs) + '\\n', resolve));
  }
`;
