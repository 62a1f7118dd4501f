import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import {
  freePort,
  startHub,
  startProcess,
  waitFor,
  type HubProcess,
  type ServerProcess,
} from '@openclaw/test-support';
import { bundleForBrowser } from './browser-bundle.test.support.ts';
import { servePage, type ServedPage } from './chromium.test.support.ts';
import { createClient, type HubClient } from './index.ts';

const folder = resolve(import.meta.dirname, '..');
const example = (name: string) => readFileSync(resolve(folder, 'examples', name), 'utf8');

let hub: HubProcess;
let ada: HubClient;
let processes: ServerProcess[];
beforeAll(async () => {
  hub = await startHub();
});
beforeEach(() => {
  processes = [];
  ada = createClient({ url: hub.url, agent: 'ada' });
});
afterEach(async () => {
  await ada.close();
  await Promise.all(processes.map((example) => example.stop()));
});
afterAll(() => hub.stop());

function run(name: string, ...args: string[]) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const example = startProcess(
    process.execPath,
    ['--conditions=@openclaw/source', `examples/${name}`, hub.url, ...args],
    { cwd: folder, env: { PATH, NODE_COMPILE_CACHE } },
  );
  processes.push(example);
  return example;
}

async function said(channelId: string): Promise<string[]> {
  const { messages } = await ada.channel(channelId).history();
  return messages.map(({ senderId, content }) => `${senderId}: ${content}`);
}

const untilSaid = (channelId: string, line: string) =>
  waitFor(async () => (await said(channelId)).includes(line), { what: line, timeoutMs: 30_000 });

jest.setTimeout(90_000);

describe('the examples', () => {
  it.each(['mentions.ts', 'bridge.ts', 'browser.html', 'agent.ts'])(
    'are linked in the README: %s',
    (name) => {
      const readme = readFileSync(resolve(folder, 'README.md'), 'utf8');
      expect(readme).toContain(`(examples/${name})`);
    },
  );

  it('mentions.ts is an agent in 20 lines that answers each mention, including those made before a restart', async () => {
    expect(example('mentions.ts').split('\n').filter(Boolean).length).toBeLessThanOrEqual(20);
    const room = ada.channel('lobby');
    const first = run('mentions.ts', 'lobby');
    await waitFor(() => room.join().catch(() => null), {
      what: 'the agent’s channel',
      timeoutMs: 30_000,
    });
    await room.send('Nobody in particular');
    await room.send('Hello', { mentions: ['echo'] });
    await untilSaid('lobby', 'echo: You said: Hello');
    await first.stop();
    await room.send('Are you there?', { mentions: ['echo'] });
    run('mentions.ts', 'lobby');
    await untilSaid('lobby', 'echo: You said: Are you there?');
    const answers = (await said('lobby')).filter((line) => line.startsWith('echo'));
    expect(answers).toEqual(['echo: You said: Hello', 'echo: You said: Are you there?']);
  });

  it('bridge.ts carries each message of two channels to the other one, once, also after a restart', async () => {
    for (const channelId of ['left', 'right']) await ada.createChannel({ channelId, name: 'Side' });
    const first = run('bridge.ts', 'left', 'right');
    await ada.channel('left').send('to the right');
    await ada.channel('right').send('to the left');
    await untilSaid('right', 'bridge: ada: to the right');
    await untilSaid('left', 'bridge: ada: to the left');
    await first.stop();
    run('bridge.ts', 'left', 'right');
    await ada.channel('left').send('once more');
    await untilSaid('right', 'bridge: ada: once more');
    expect((await said('right')).sort()).toEqual([
      'ada: to the left',
      'bridge: ada: once more',
      'bridge: ada: to the right',
    ]);
  });

  describe('browser.html', () => {
    let served: ServedPage;
    let open: HubProcess;
    afterEach(async () => {
      await served?.stop();
      await open?.stop();
    });

    it('shows messages, and sends typed text', async () => {
      const script = /<script type="module">([^]*?)<\/script>/;
      const text = script.exec(example('browser.html'))?.[1] ?? '';
      expect(text).toContain('createClient');
      const hubPort = await freePort();
      served = await servePage({
        document: example('browser.html').replace(
          script,
          '<script type="module" src="/module.js"></script>',
        ),
        module: bundleForBrowser(text),
        hostname: 'localhost',
        query: `?name=bob&hub=ws://127.0.0.1:${hubPort}`,
      });
      open = await startHub({ env: { HUB_ALLOWED_ORIGINS: served.origin }, port: hubPort });
      const host = createClient({ url: open.url, agent: 'host' });
      try {
        await host.createChannel({ channelId: 'lobby', name: 'Lobby' });
        await host.channel('lobby').send('Welcome');
        await served.page.reload();
        const lines = served.page.locator('li');
        await waitFor(async () => (await lines.allTextContents()).includes('host: Welcome'), {
          timeoutMs: 30_000,
        });
        await served.page.getByLabel('Message').fill('Hello <b>you</b>');
        await served.page.keyboard.press('Enter');
        await waitFor(async () => (await lines.count()) === 2, { timeoutMs: 30_000 });
        expect(await lines.allTextContents()).toEqual(['host: Welcome', 'bob: Hello <b>you</b>']);
        expect(await served.page.locator('output').textContent()).toBe('live');
      } finally {
        await host.close();
      }
    });
  });
});
