import { rm } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(await startTestHub({ HUB_DB_URL: database.url, LOG_LEVEL: 'silent' }));

describe('a hub whose SQLite file is removed while it runs', () => {
  // Invariant: an acknowledged message is durable, and clients do not learn the path of the file.
  it('refuses sends and is not ready', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'ops', name: 'Ops' });
    await ana.call('message.send', { channelId: 'ops', content: 'kept' });
    expect((await hub.request('ana', 'GET', '/readyz')).status).toBe(200);
    await rm(database.url.replace('sqlite:', ''));
    const send = () =>
      ana.call('message.send', { channelId: 'ops', content: 'x' }).then(
        () => ({ code: 'acknowledged', message: '' }),
        (error: { code: string; message: string }) => error,
      );
    expect((await send()).code).not.toBe('acknowledged');
    const refused = await waitFor(async () => {
      const answer = await send();
      return answer.code === 'unavailable' && answer;
    });
    const posted = await hub.request('ana', 'POST', '/v1/channels/ops/messages', { content: 'x' });
    expect(posted.status).toBe(503);
    for (const said of [refused.message, JSON.stringify(posted.body)]) {
      expect(said).toContain('the database is away');
      expect(said).not.toContain('hub.sqlite');
    }
    const ready = await hub.request('ana', 'GET', '/readyz');
    expect([ready.status, ready.body.database.status]).toEqual([503, 'down']);
    expect(await ana.call('ping', {})).toMatchObject({ timestamp: expect.any(Number) });
  });
});
