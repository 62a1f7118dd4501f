import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { createClient, type HubChannel, type HubClient } from '@openclaw/client';
import { startHub, startRedis, type HubProcess, type RedisServer } from '@openclaw/test-support';
import { buildPage } from './built-page.ts';

/** A hub that serves the page, its Redis, and a browser. */
interface Servers {
  hub: HubProcess;
  redis: RedisServer;
  browser: Browser;
}

/** The servers that the tests of a suite share, and who uses them. */
export interface World extends Readonly<Servers> {
  /** Opens an empty tab in a browser profile of its own. */
  tab(options?: TabOptions): Promise<Page>;
  /** Opens the page in a profile of its own and signs in by name. */
  person(name: string, options?: TabOptions): Promise<Person>;
  /** Connects an agent with the SDK. */
  agent(name: string): HubClient;
  /** Creates a channel of an agent and of these members. Each of `names` has it open in a browser. */
  meet(channelId: string, names: readonly string[], members?: readonly string[]): Promise<Meeting>;
}

export interface Meeting {
  readonly agent: HubClient;
  /** The channel, as the agent sees it. */
  readonly room: HubChannel;
  readonly people: readonly [Person, Person];
}

/** The browser of one person. */
export interface Person {
  readonly page: Page;
  /** Exceptions, logged errors, and violations of the content security policy. */
  readonly pageErrors: readonly string[];
  readonly composer: Locator;
  readonly editor: Locator;
  /** The messages of the open channel that contain the text. */
  message(text: string): Locator;
  /** The messages of the open thread that contain the text. */
  reply(text: string): Locator;
  open(channelId: string): Promise<void>;
  write(text: string): Promise<void>;
}

export interface TabOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

// Generous, for a busy machine.
const waitMs = 30_000;

/** Starts a world before the tests of the calling suite, ends people and agents after each test, and stops it at the end. */
export function useWorld(env: () => Promise<Record<string, string>> = async () => ({})): World {
  jest.setTimeout(180_000);
  const afterEachTest: (() => Promise<unknown>)[] = [];
  const atEnd: (() => Promise<unknown>)[] = [];

  // `beforeAll` fills it.
  const servers = {} as Servers;
  const world: World = Object.assign(servers, {
    agent(name) {
      const options = { url: world.hub.url, agent: name, backoffMinMs: 50, backoffMaxMs: 300 };
      const agent = createClient(options);
      afterEachTest.push(() => agent.close());
      return agent;
    },
    async tab({ width = 1280, height = 800, colorScheme = 'light' } = {}) {
      const context = await world.browser.newContext({ viewport: { width, height }, colorScheme });
      afterEachTest.push(() => context.close());
      const page = await context.newPage();
      page.setDefaultTimeout(waitMs);
      return page;
    },
    async person(name, options) {
      const page = await world.tab(options);
      const person = personOn(page);
      await page.goto(world.hub.httpUrl);
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('.workspace').waitFor();
      return person;
    },
    async meet(channelId, names, members = []) {
      const agent = world.agent('helper');
      const room = agent.channel(channelId);
      await agent.call('channel.create', { channelId, name: channelId });
      await room.subscribe();
      for (const agentId of [...names, ...members]) await room.addMember(agentId);
      const people: Person[] = [];
      for (const name of names) {
        const person = await world.person(name);
        await person.open(channelId);
        people.push(person);
      }
      return { agent, room, people: people as [Person, Person] };
    },
  } satisfies Omit<World, keyof Servers>);

  beforeAll(async () => {
    const built = await buildPage();
    atEnd.push(() => built.remove());
    servers.redis = await startRedis();
    atEnd.push(() => servers.redis.stop());
    servers.hub = await startHub({
      env: {
        HUB_WEB_DIR: built.path,
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
  return world;
}

function personOn(page: Page): Person {
  const pageErrors: string[] = [];
  page.on('pageerror', (error) => pageErrors.push(String(error)));
  page.on('console', (message) => {
    // The browser logs each connection that is cut.
    const isNetwork = /WebSocket connection|Failed to load resource|net::ERR/.test(message.text());
    if (message.type() === 'error' && !isNetwork) pageErrors.push(message.text());
  });
  const composer = page.locator('.conversation-column .composer textarea');
  return {
    page,
    pageErrors,
    composer,
    editor: page.getByLabel('Edit the message'),
    message: (text) => page.locator('.conversation .message', { hasText: text }),
    reply: (text) => page.locator('.pane .message', { hasText: text }),
    async open(channelId) {
      await page.evaluate((id) => {
        location.hash = `#/channel/${encodeURIComponent(id)}`;
      }, channelId);
      const leading = page.locator('.conversation .leading');
      await leading.getByText(/Beginning|Older/).waitFor();
    },
    async write(text) {
      await composer.fill(text);
      await page.keyboard.press('Enter');
    },
  };
}

/** Clicks a button of a message, which is shown while the pointer is over the message. */
export async function clickAction(message: Locator, label: string): Promise<void> {
  await message.hover();
  await message.getByRole('button', { name: label, exact: true }).click();
}
