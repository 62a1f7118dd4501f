import { existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import { startWorld, type Person, type World } from '../testing/world.ts';

jest.setTimeout(180_000);
let world: World;
let database: string;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder('page-database');
  database = join(folder.path, 'hub.sqlite');
  world = await startWorld({ HUB_DB_URL: `sqlite:${database}` });
});
afterEach(() => world?.leave());
afterAll(async () => {
  await world?.close();
  await folder?.remove();
});

async function meet(channelId: string) {
  const agent = world.agent('helper');
  await agent.call('channel.create', { channelId, name: channelId });
  for (const agentId of ['ada', 'bob']) await agent.call('member.add', { channelId, agentId });
  const [ada, bob] = [await world.person('ada'), await world.person('bob')];
  await ada.open(channelId);
  await bob.open(channelId);
  return { agent, ada, bob };
}

const line = (person: Person) => person.page.locator('.connection');
const texts = (person: Person) =>
  person.page.locator('.conversation .rows .message .content').allTextContents();

describe('when the hub is killed and returns', () => {
  it('the line says so, and what was written meanwhile arrives once, in order', async () => {
    const { ada, bob } = await meet('killed');
    await ada.write('before');
    await bob.page.getByText('before', { exact: true }).waitFor();
    expect(await line(ada).textContent()).toBe('Live');
    await world.hub.kill();
    await line(ada)
      .getByText(/^Reconnecting/)
      .waitFor();
    await ada.write('while away 1');
    await ada.write('while away 2');
    expect(await ada.page.getByText('Waits for the connection').count()).toBe(2);
    await line(ada).getByText('2 waiting to be sent').waitFor();
    await bob.page.locator('.composer textarea').fill('not finished');
    await world.hub.restart();
    await line(ada).getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await line(bob).getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    const expected = ['before', 'while away 1', 'while away 2'];
    await waitFor(async () => (await texts(bob)).length === 3, { what: 'all three', everyMs: 50 });
    await waitFor(async () => (await ada.page.locator('.outgoing').count()) === 0);
    expect(await texts(bob)).toEqual(expected);
    expect(await texts(ada)).toEqual(expected);
    expect(await bob.page.locator('.composer textarea').inputValue()).toBe('not finished');
  });

  it('a reload in between loses neither the draft nor what waits to be sent', async () => {
    const { ada, bob } = await meet('reloaded');
    await world.hub.kill();
    await line(ada)
      .getByText(/^Reconnecting/)
      .waitFor();
    await ada.write('sent into the dark');
    await ada.page.locator('.composer textarea').fill('half a thought');
    await world.hub.restart();
    await ada.page.reload();
    await ada.page.locator('.conversation .rows .message', { hasText: 'into the dark' }).waitFor();
    await bob.page.getByText('sent into the dark').waitFor({ timeout: 30_000 });
    expect(await texts(bob)).toEqual(['sent into the dark']);
    expect(await ada.page.locator('.composer textarea').inputValue()).toBe('half a thought');
  });
});

describe('somebody who signs in while the hub cannot be reached', () => {
  // The race: a hub that has just begun asks clients to come back in their slot. Invariant: who waits comes in.
  it('is told so, may give up, and comes in once it can', async () => {
    const page = await world.tab();
    await page.goto(world.url);
    await world.hub.kill();
    const begin = async () => {
      await page.getByLabel('Your name').fill('ada');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByText('It is tried again').waitFor();
    };
    await begin();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await begin();
    await world.hub.restart();
    await page.locator('.workspace').waitFor();
  });
});

describe('when the database is restored from an older copy', () => {
  it('it is said, and what is shown is what the log now holds', async () => {
    const { agent, ada } = await meet('restored');
    const room = agent.channel('restored');
    const copy = async (from: string, to: string) => {
      await world.hub.kill();
      for (const part of ['', '-wal', '-shm']) {
        await rm(`${to}${part}`, { force: true });
        if (existsSync(`${from}${part}`)) await copyFile(`${from}${part}`, `${to}${part}`);
      }
      await world.hub.restart();
      await line(ada).getByText('Live', { exact: true }).waitFor();
    };
    await room.send('kept');
    await ada.page.getByText('kept', { exact: true }).waitFor();
    await copy(database, `${database}.old`);
    await room.send('lost with the disk');
    await ada.page.getByText('lost with the disk').waitFor();
    await copy(`${database}.old`, database);
    await ada.page.locator('.notice', { hasText: 'restored from a backup' }).waitFor();
    await waitFor(async () => (await texts(ada)).join() === 'kept', { what: 'the log as it is' });
    await room.send('goes on');
    await ada.page.getByText('goes on', { exact: true }).waitFor();
    expect(await texts(ada)).toEqual(['kept', 'goes on']);
  });
});

describe('when Redis is killed and returns', () => {
  it('the line says degraded and then live, and messages go on, each once', async () => {
    const { ada, bob } = await meet('redis');
    await line(ada).getByText('Live', { exact: true }).waitFor();
    await ada.write('one');
    await bob.page.getByText('one', { exact: true }).waitFor();
    await world.redis.kill();
    await line(ada).getByText('Live, degraded').waitFor({ timeout: 20_000 });
    await line(ada).getByText('Redis is away').waitFor();
    await ada.write('two');
    await bob.page.getByText('two', { exact: true }).waitFor();
    await world.redis.restart();
    await line(ada).getByText('Live', { exact: true }).waitFor({ timeout: 40_000 });
    await bob.write('three');
    await ada.page.getByText('three', { exact: true }).waitFor();
    expect(await texts(ada)).toEqual(['one', 'two', 'three']);
    expect(await texts(bob)).toEqual(['one', 'two', 'three']);
  });
});
