import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { archiveName, chooseArchive, listArchives, removeOldArchives } from './archive.ts';

const scope = testScope();
const day = 86_400_000;
const nowMs = Date.parse('2026-11-28T12:00:00Z');
const at = (days: number) => nowMs - days * day;

async function folderWith(...days: number[]): Promise<string> {
  const { path } = await scope.use(temporaryFolder('archives'));
  for (const count of days) await mkdir(join(path, archiveName(at(count))));
  // Not archives: these must stay.
  await mkdir(join(path, '.partial-x'));
  await mkdir(join(path, 'hub-of-ours'));
  await writeFile(join(path, 'openclaw_backup.prom'), '');
  return path;
}

const daysLeft = async (folder: string) =>
  (await listArchives(folder)).map(({ takenAtMs }) => (nowMs - takenAtMs) / day);

describe('archives', () => {
  it('are chosen by the time at which they were taken', async () => {
    const folder = await folderWith(3, 1, 2);
    expect(await daysLeft(folder)).toEqual([3, 2, 1]);
    const chosen = async (atMs: number | null) => (await chooseArchive(folder, atMs)).takenAtMs;
    expect(await chosen(null)).toBe(at(1));
    expect(await chosen(at(2))).toBe(at(2));
    expect(await chosen(at(2) - 1)).toBe(at(3));
    await expect(chooseArchive(folder, at(4))).rejects.toThrow('the oldest is hub-');
    await expect(chooseArchive(join(folder, '.partial-x'), null)).rejects.toThrow('no archive');
    await expect(chooseArchive(join(folder, 'nowhere'), null)).rejects.toThrow('ENOENT');
  });

  it.each([
    [{ keep: 2, keepMs: null }, [2, 1]],
    [{ keep: null, keepMs: 2.5 * day }, [2, 1]],
    [{ keep: 9, keepMs: null }, [4, 3, 2, 1]],
    // An archive stays if either limit keeps it. The newest archive always stays.
    [{ keep: 3, keepMs: 1.5 * day }, [3, 2, 1]],
    [{ keep: 1, keepMs: 2.5 * day }, [2, 1]],
    [{ keep: null, keepMs: day / 2 }, [1]],
  ])('are kept according to %j', async (limits, left) => {
    const folder = await folderWith(4, 3, 2, 1);
    await removeOldArchives(folder, limits, nowMs);
    expect(await daysLeft(folder)).toEqual(left);
    const others = (await readdir(folder)).filter((name) => !/^hub-\d/.test(name)).sort();
    expect(others).toEqual(['.partial-x', 'hub-of-ours', 'openclaw_backup.prom']);
  });
});
