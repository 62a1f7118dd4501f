import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { createClient, type HubClient } from '@openclaw/client';
import { startHub, startRedis, type HubProcess, type RedisServer } from '@openclaw/test-support';
import { buildPage } from './built-page.ts';

/** A hub with its Redis, the page that it serves, and a browser. */
export interface World {
  readonly hub: HubProcess;
  readonly redis: RedisServer;
  readonly browser: Browser;
  /** Where the page is. */
  readonly url: string;
  /** A tab in a browser profile of its own, which has not gone anywhere yet. */
  tab(options?: PersonOptions): Promise<Page>;
  /** A person: the page in a browser profile of its own, signed in by name. */
  person(name: string, options?: PersonOptions): Promise<Person>;
  /** An agent on the SDK. */
  agent(name: string): HubClient;
  /** Ends the people and agents of one test. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** One person's browser. */
export interface Person {
  readonly name: string;
  readonly page: Page;
  /** What the page complained of: exceptions, and what the policy refused. */
  readonly complaints: readonly string[];
  open(channelId: string): Promise<void>;
  write(text: string): Promise<void>;
}

export interface PersonOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

// A busy machine takes its time.
const waitMs = 30_000;

/** Starts it all on free ports. */
export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const built = await buildPage();
  const redis = await startRedis();
  const hub = await startHub({
    env: {
      HUB_WEB_DIR: built.folder,
      REDIS_URL: redis.url,
      HUB_LIMIT_MESSAGE: '1000000/60',
      HUB_LIMIT_REACTION: '1000000/60',
      HUB_LIMIT_TYPING: '1000000/60',
      ...env,
    },
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  const agents: HubClient[] = [];
  const contexts: BrowserContext[] = [];

  async function leave() {
    await Promise.all(agents.splice(0).map((agent) => agent.close()));
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  }

  async function tab({ width = 1280, height = 800, colorScheme = 'light' }: PersonOptions = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(waitMs);
    return page;
  }

  return {
    ...{ hub, redis, browser, url: hub.httpUrl, tab, leave },
    agent(name) {
      const agent = createClient({
        url: hub.url,
        agent: name,
        backoffMinMs: 50,
        backoffMaxMs: 300,
      });
      agents.push(agent);
      return agent;
    },
    person: async (name, options) => signIn(await tab(options), name, hub.httpUrl),
    async close() {
      await leave();
      await browser.close();
      await hub.stop();
      await redis.stop();
      await built.remove();
    },
  };
}

async function signIn(page: Page, name: string, url: string): Promise<Person> {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A connection that is cut is logged by the browser itself.
    const isOfNetwork = /WebSocket connection|Failed to load resource|net::ERR/.test(
      message.text(),
    );
    if (message.type() === 'error' && !isOfNetwork) complaints.push(message.text());
  });
  await page.goto(url);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.workspace').waitFor();
  return {
    ...{ name, page, complaints },
    async open(channelId) {
      await page.evaluate((id) => {
        location.hash = `#/channel/${encodeURIComponent(id)}`;
      }, channelId);
      await page
        .locator('.conversation .leading')
        .getByText(/begins|Older/)
        .waitFor();
    },
    async write(text) {
      await page.locator('.conversation-column .composer textarea').fill(text);
      await page.keyboard.press('Enter');
    },
  };
}
