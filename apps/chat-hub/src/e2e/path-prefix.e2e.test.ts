import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { connectRpc, sendRaw, temporaryFolder } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const folder = closeAfterAll(await temporaryFolder('page'));
mkdirSync(join(folder.path, 'assets'));
writeFileSync(join(folder.path, 'index.html'), '<!doctype html><title>Hub</title>');
writeFileSync(join(folder.path, 'assets', 'page-Ab12.js'), '1');
const hub = closeAfterAll(
  await startTestHub({
    HUB_DB_URL: database.url,
    HUB_WEB_DIR: folder.path,
    HUB_PUBLIC_URL: 'http://localhost:9999/team/chat',
  }),
);

const status = async (path: string) => (await fetch(`${hub.url}${path}`)).status;

describe('a hub whose public URL has a path', () => {
  it('answers with and without that prefix, because some proxies remove it', async () => {
    for (const prefix of ['', '/team/chat']) {
      expect([prefix, await status(`${prefix}/`)]).toEqual([prefix, 200]);
      expect([prefix, await status(`${prefix}/assets/page-Ab12.js`)]).toEqual([prefix, 200]);
      expect([prefix, await status(`${prefix}/v1/channels?agent=ana`)]).toEqual([prefix, 200]);
      expect([prefix, await status(`${prefix}/healthz`)]).toEqual([prefix, 200]);
      const socket = await connectRpc(
        `${hub.wsUrl.replace('/v1/ws', `${prefix}/v1/ws`)}?agent=ana`,
      );
      await socket.close();
    }
  });

  it('sends a browser to the address with the slash, so that the page finds its files', async () => {
    const answer = await fetch(`${hub.url}/team/chat?x=//evil.example`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([
      308,
      '/team/chat/?x=//evil.example',
    ]);
  });

  it('has nothing below other prefixes, or below the prefix twice', async () => {
    for (const path of ['/team', '/team/', '/chat/', '/team/chatter/', '/team/chat/team/chat/'])
      expect([path, await status(path)]).toEqual([path, 404]);
    for (const target of ['/team/chat//v1/channels', '/team/chat/../secret', '//team/chat/']) {
      const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      const answer = await sendRaw(Number(new URL(hub.url).port), request);
      expect([target, answer.status]).toEqual([target, 404]);
    }
  });
});
