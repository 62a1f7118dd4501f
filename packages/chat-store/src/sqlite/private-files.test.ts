import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { createChatStore } from '../index.ts';
import { makePrivate } from './private-files.ts';

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('the files of a SQLite database', () => {
  it('are readable and writable by their owner only, in a folder of the owner’s, while it is open', async () => {
    const folder = await temporaryFolder('private');
    const data = join(folder.path, 'new/data');
    const store = await createChatStore({ url: `sqlite:${join(data, 'hub.sqlite')}` });
    await store.beat('hub');
    const names = await readdir(data);
    expect(names.sort()).toEqual(['hub.sqlite', 'hub.sqlite-shm', 'hub.sqlite-wal']);
    for (const name of names) expect([name, await modeOf(join(data, name))]).toEqual([name, '600']);
    expect([await modeOf(data), await modeOf(join(folder.path, 'new'))]).toEqual(['700', '700']);
    await store.close();
    await folder.remove();
  });

  it('of an earlier release lose the rights of others, also behind a symbolic link; the folder keeps its mode', async () => {
    const folder = await temporaryFolder('private');
    const data = join(folder.path, 'data');
    await mkdir(data);
    await chmod(data, 0o755);
    const path = join(data, 'hub.sqlite');
    for (const end of ['', '-wal', '-shm']) {
      await writeFile(`${path}${end}`, '');
      await chmod(`${path}${end}`, 0o664);
    }
    const link = join(folder.path, 'link.sqlite');
    await symlink(path, link);
    makePrivate(link);
    for (const end of ['', '-wal', '-shm']) expect(await modeOf(`${path}${end}`)).toBe('600');
    expect(await modeOf(data)).toBe('755');
    await folder.remove();
  });
});
