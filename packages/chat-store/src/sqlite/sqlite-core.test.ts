import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import { spawnWorker } from './spawn-worker.ts';
import { startWorkerThread } from './sqlite-core.ts';

describe('the SQLite thread', () => {
  it('fails its current call when it ends unexpectedly, and is restarted', async () => {
    const folder = await temporaryFolder('worker');
    const workers: Worker[] = [];
    const settings = {
      path: join(folder.path, 'hub.sqlite'),
      readOnly: false,
      busyTimeoutMs: 1000,
    };
    const thread = await startWorkerThread(
      settings,
      () => undefined,
      (own) => {
        const worker = spawnWorker(own);
        workers.push(worker);
        return worker;
      },
    );
    const epoch = await thread.call('epoch', []);
    // The lock keeps the call below from ending before the thread does.
    const locker = new DatabaseSync(settings.path);
    locker.exec('BEGIN IMMEDIATE');
    const underWay = thread.call('beat', ['hub']);
    void workers[0]?.terminate();
    await expect(underWay).rejects.toMatchObject({ code: 'timeout' });
    await expect(thread.call('epoch', [])).rejects.toMatchObject({ code: 'unavailable' });
    locker.close();
    const again = await waitFor(() => thread.call('epoch', []).catch(() => null), { everyMs: 50 });
    expect(again).toBe(epoch);
    expect(workers).toHaveLength(2);
    await thread.close(1000);
    await expect(thread.call('epoch', [])).rejects.toMatchObject({ code: 'closed' });
    await folder.remove();
  });
});
