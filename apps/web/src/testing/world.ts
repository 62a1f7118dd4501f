import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { createClient } from '@openclaw/client';
import {
  builtForTests,
  startHub,
  startRedis,
  type HubProcess,
  type RedisServer,
} from '@openclaw/test-support';

export type World = ReturnType<typeof useWorld>;
export type Person = ReturnType<typeof personOn>;

export interface TabOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly isTouch?: boolean;
  readonly ignoreHTTPSErrors?: boolean;
}

const waitMs = 30_000;

/**
 * Starts a Redis, a hub that serves the page, and a browser for the calling suite. Closes persons and agents after each
 * test.
 */
export function useWorld(env: () => Promise<Record<string, string>> = async () => ({})) {
  jest.setTimeout(180_000);
  const afterEachTest: (() => Promise<unknown>)[] = [];
  const atEnd: (() => Promise<unknown>)[] = [];
  const servers = {} as { hub: HubProcess; redis: RedisServer; browser: Browser; pageDir: string };

  function agent(name: string) {
    const { url } = servers.hub;
    const client = createClient({ url, agent: name, backoffMinMs: 50, backoffMaxMs: 300 });
    afterEachTest.push(() => client.close());
    return client;
  }
  async function tab(options: TabOptions = {}) {
    const { width = 1280, height = 800, colorScheme = 'light' } = options;
    const viewport = { width, height };
    const context = await servers.browser.newContext({
      viewport,
      colorScheme,
      hasTouch: options.isTouch ?? false,
      isMobile: options.isTouch ?? false,
      ignoreHTTPSErrors: options.ignoreHTTPSErrors ?? false,
    });
    afterEachTest.push(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(waitMs);
    return page;
  }
  async function person(name: string, options?: TabOptions) {
    const page = await tab(options);
    const person = personOn(page);
    await page.goto(servers.hub.httpUrl);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.workspace').waitFor();
    return person;
  }
  /** The agent `helper` creates the channel. Each member in `names` has the channel open in a browser. */
  async function meet(channelId: string, names: string[], members: string[] = []) {
    const helper = agent('helper');
    const room = helper.channel(channelId);
    await helper.call('channel.create', { channelId, name: channelId });
    await room.subscribe();
    for (const agentId of [...names, ...members]) await room.addMember(agentId);
    const people: Person[] = [];
    for (const name of names) {
      const one = await person(name);
      await one.open(channelId);
      people.push(one);
    }
    return { agent: helper, room, people: people as [Person, Person] };
  }

  beforeAll(async () => {
    const pageDir = builtForTests('page');
    if (pageDir === null) throw new Error('these tests run in Jest only');
    servers.pageDir = pageDir;
    servers.redis = await startRedis();
    atEnd.push(() => servers.redis.stop());
    servers.hub = await startHub({
      env: {
        HUB_WEB_DIR: pageDir,
        REDIS_URL: servers.redis.url,
        HUB_LIMIT_MESSAGE: '1000000/60',
        HUB_LIMIT_REACTION: '1000000/60',
        HUB_LIMIT_TYPING: '1000000/60',
        ...(await env()),
      },
    });
    atEnd.push(() => servers.hub.stop());
    servers.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    atEnd.push(() => servers.browser.close());
  });
  afterEach(() => Promise.all(afterEachTest.splice(0).map((end) => end())));
  afterAll(async () => {
    for (const end of atEnd.reverse()) await end();
  });
  return Object.assign(servers, { agent, tab, person, meet });
}

export function personOn(page: Page) {
  /** The list holds exceptions, logged errors, and violations of the content security policy. */
  const pageErrors: string[] = [];
  page.on('pageerror', (error) => pageErrors.push(String(error)));
  page.on('console', (message) => {
    // The browser logs each lost connection.
    const isNetwork = /WebSocket connection|Failed to load resource|net::ERR/.test(message.text());
    if (message.type() === 'error' && !isNetwork) pageErrors.push(message.text());
  });
  const composer = page.locator('.conversation-column .composer textarea');
  return {
    page,
    pageErrors,
    composer,
    editor: page.getByLabel('Edit the message'),
    message: (text: string) => page.locator('.conversation .message', { hasText: text }),
    reply: (text: string) => page.locator('.pane .message', { hasText: text }),
    async open(channelId: string) {
      await page.evaluate((id) => {
        location.hash = `#/channel/${encodeURIComponent(id)}`;
      }, channelId);
      const leading = page.locator('.conversation .leading');
      await leading.getByText(/Beginning|Older/).waitFor();
    },
    async write(text: string) {
      await composer.fill(text);
      await page.keyboard.press('Enter');
    },
  };
}

/** Hovers first, because the button is shown only while the pointer is over the message. */
export async function clickAction(message: Locator, label: string): Promise<void> {
  await message.hover();
  await message.getByRole('button', { name: label, exact: true }).click();
}

export async function setVisibility(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}
