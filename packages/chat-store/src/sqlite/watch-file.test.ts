import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import { channelWithTwo, uniqueId } from '../contract/world.contract.ts';
import { createChatStore, type ChatStore } from '../index.ts';
import { watchFiles } from './watch-file.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const stores: ChatStore[] = [];

beforeAll(async () => {
  folder = await temporaryFolder('watch');
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await folder.remove();
});

const newPath = () => join(folder.path, uniqueId('data'), 'hub.sqlite');

async function open(path: string) {
  const errors: Record<string, unknown>[] = [];
  const logger = {
    warn: () => undefined,
    error: (details: object) => void errors.push(details as Record<string, unknown>),
  };
  const store = await createChatStore({ url: `sqlite:${path}` }, { logger });
  stores.push(store);
  return { store, errors };
}

/** Changes to the files of a running hub: the title, the change, and a part of the line that the hub logs. */
const fileChanges: readonly (readonly [string, (path: string) => Promise<void>, string])[] = [
  ['its file is removed', (path) => rm(path), 'hub.sqlite is gone'],
  ['its file is moved away', (path) => rename(path, `${path}.old`), 'hub.sqlite is gone'],
  [
    'another file is moved into its place',
    async (path) => {
      await writeFile(`${path}.new`, await readFile(path));
      await rename(`${path}.new`, path);
    },
    'hub.sqlite was replaced',
  ],
  ['its write-ahead log is removed', (path) => rm(`${path}-wal`), 'hub.sqlite-wal is gone'],
  ['its shared memory is removed', (path) => rm(`${path}-shm`), 'hub.sqlite-shm is gone'],
  ['its folder is removed', (path) => rm(dirname(path), { recursive: true }), 'hub.sqlite is gone'],
  ['its folder is moved', (path) => rename(dirname(path), `${dirname(path)}.old`), 'is gone'],
];

describe('a chat store on SQLite', () => {
  // The fault: a removed file stayed open, so sends were acknowledged into a file that no process can open again.
  it.each(fileChanges)(
    'acknowledges nothing more, and logs why, when %s',
    async (_what, act, said) => {
      const path = newPath();
      const { store, errors } = await open(path);
      const { channelId, owner } = await channelWithTwo(store);
      await owner.say(channelId, 'kept');
      await act(path);
      const send = () => owner.outcome('message.send', { channelId, content: 'x' });
      const refusals = [await send(), await send(), await send()];
      expect(refusals.map((refusal) => refusal.ok)).toEqual([false, false, false]);
      expect(refusals[2]).toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) });
      expect(await owner.readRefusal('channel.get', { channelId })).toBe('unavailable');
      await expect(store.beat('hub')).rejects.toMatchObject({ code: 'unavailable' });
      expect(await store.health()).toMatchObject({ status: 'down', latencyMs: null });
      expect(JSON.stringify(refusals)).not.toContain(folder.path);
      expect(errors).toHaveLength(1);
      expect(errors[0]?.fault).toContain(said);
      expect(errors[0]?.fault).toContain(dirname(path));
    },
  );

  it('is down when its file is removed, even without a write', async () => {
    const path = newPath();
    const { store, errors } = await open(path);
    expect((await store.health()).status).toBe('ok');
    await rm(path);
    await waitFor(async () => (await store.health()).status === 'down');
    expect(errors).toHaveLength(1);
  });

  it('refuses writes when its file is put back, and has everything acknowledged once it is reopened', async () => {
    const path = newPath();
    const { store } = await open(path);
    const { channelId, owner } = await channelWithTwo(store);
    const { seq } = await owner.say(channelId, 'kept');
    await rename(dirname(path), `${dirname(path)}.old`);
    await owner.refusal('message.send', { channelId, content: 'x' });
    await rename(`${dirname(path)}.old`, dirname(path));
    expect(await owner.refusal('message.send', { channelId, content: 'x' })).toBe('unavailable');
    await store.close();
    const again = (await open(path)).store;
    const { events } = await again.logPage(channelId, seq - 1, 1, 1e6);
    expect(events[0]?.json).toContain('kept');
    expect(again.epoch).toBe(store.epoch);
  });

  // Negative control: these operations are allowed on an open database.
  it('continues when others read, write, checkpoint and copy its file', async () => {
    const real = newPath();
    await mkdir(dirname(real), { recursive: true });
    const path = join(folder.path, 'link.sqlite');
    await symlink(real, path);
    const { store, errors } = await open(path);
    const { channelId, owner } = await channelWithTwo(store);
    const other = new DatabaseSync(real);
    other.exec('pragma wal_checkpoint(truncate)');
    other.exec(`vacuum into '${real}.copy'`);
    other.close();
    const hub = await open(path);
    await hub.store.beat('hub');
    await hub.store.close();
    expect((await owner.say(channelId, 'on')).seq).toBe(3);
    expect((await store.health()).status).toBe('ok');
    expect([...errors, ...hub.errors]).toEqual([]);
  });
});

describe('the watch of a database’s files', () => {
  it('finds a file that was replaced while it was opened', async () => {
    const path = newPath();
    await mkdir(dirname(path));
    await writeFile(path, 'one');
    const watch = watchFiles(path);
    await writeFile(`${path}.new`, 'two');
    await rename(`${path}.new`, path);
    expect(watch.checkNow()).toContain('was replaced');
  });

  it('checks at most five times a second, unless checkNow is called', async () => {
    const path = newPath();
    await mkdir(dirname(path));
    await writeFile(path, 'one');
    let nowMs = 0;
    const watch = watchFiles(path, () => nowMs);
    expect(watch.checkNow()).toBeNull();
    await rm(path);
    nowMs = 199;
    expect(watch.check()).toBeNull();
    nowMs = 200;
    expect(watch.check()).toContain('is gone');
    await writeFile(path, 'one');
    expect(watch.checkNow()).toContain('is gone');
  });
});
