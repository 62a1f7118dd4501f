import { existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, waitFor } from '@openclaw/test-support';
import { useWorld, type Person } from '../testing/world.ts';

const folder = temporaryFolder('page-database');
let database: string;
const world = useWorld(async () => {
  database = join((await folder).path, 'hub.sqlite');
  return { HUB_DB_URL: `sqlite:${database}` };
});
afterAll(async () => (await folder).remove());

const status = (person: Person) => person.page.locator('.connection');
const texts = (person: Person) =>
  person.page.locator('.conversation .rows .message .content').allTextContents();

describe('when the hub is killed and restarted', () => {
  it('the status says so, and messages written meanwhile arrive once and in order', async () => {
    const {
      people: [ada, bob],
    } = await world.meet('killed', ['ada', 'bob']);
    await ada.write('before');
    await bob.page.getByText('before', { exact: true }).waitFor();
    await status(ada).getByText('Live', { exact: true }).waitFor();
    await world.hub.kill();
    await status(ada)
      .getByText(/^Reconnecting/)
      .waitFor();
    await ada.write('while away 1');
    await ada.write('while away 2');
    const waiting = ada.page.getByText('Waiting for connection');
    await waitFor(async () => (await waiting.count()) === 2);
    await status(ada).getByText('2 waiting to be sent').waitFor();
    await bob.page.locator('.composer textarea').fill('not finished');
    await world.hub.restart();
    await status(ada).getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await status(bob).getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    const expected = ['before', 'while away 1', 'while away 2'];
    await waitFor(async () => (await texts(bob)).length === 3, { what: 'all three', everyMs: 50 });
    await waitFor(async () => (await ada.page.locator('.outgoing').count()) === 0);
    expect(await texts(bob)).toEqual(expected);
    expect(await texts(ada)).toEqual(expected);
    expect(await bob.page.locator('.composer textarea').inputValue()).toBe('not finished');
  });

  it('a reload in between loses neither the draft nor the messages that wait', async () => {
    const {
      people: [ada, bob],
    } = await world.meet('reloaded', ['ada', 'bob']);
    await world.hub.kill();
    await status(ada)
      .getByText(/^Reconnecting/)
      .waitFor();
    await ada.write('sent while offline');
    await ada.page.locator('.composer textarea').fill('half a thought');
    await world.hub.restart();
    await ada.page.reload();
    await ada.page
      .locator('.conversation .rows .message', { hasText: 'sent while offline' })
      .waitFor();
    await bob.page.getByText('sent while offline').waitFor({ timeout: 30_000 });
    expect(await texts(bob)).toEqual(['sent while offline']);
    expect(await ada.page.locator('.composer textarea').inputValue()).toBe('half a thought');
  });
});

describe('a sign-in while the hub is unreachable', () => {
  // The race: a hub that has just started asks clients to reconnect later. Invariant: a client that waits is admitted.
  it('shows the reason, can be cancelled, and succeeds once the hub is back', async () => {
    const page = await world.tab();
    await page.goto(world.hub.httpUrl);
    await world.hub.kill();
    const begin = async () => {
      await page.getByLabel('Your name').fill('ada');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByText('Trying again').waitFor();
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
  it('a notice says so, and the page shows the messages that the log has now', async () => {
    const {
      room,
      people: [ada],
    } = await world.meet('restored', ['ada', 'bob']);
    const copy = async (from: string, to: string) => {
      await world.hub.kill();
      for (const part of ['', '-wal', '-shm']) {
        await rm(`${to}${part}`, { force: true });
        if (existsSync(`${from}${part}`)) await copyFile(`${from}${part}`, `${to}${part}`);
      }
      await world.hub.restart();
      await status(ada).getByText('Live', { exact: true }).waitFor();
    };
    await room.send('kept');
    await ada.page.getByText('kept', { exact: true }).waitFor();
    await copy(database, `${database}.old`);
    await room.send('lost with the disk');
    await ada.page.getByText('lost with the disk').waitFor();
    await copy(`${database}.old`, database);
    await ada.page.locator('.notice', { hasText: 'restored from a backup' }).waitFor();
    await waitFor(async () => (await texts(ada)).join() === 'kept', { what: 'the restored log' });
    await room.send('goes on');
    await ada.page.getByText('goes on', { exact: true }).waitFor();
    expect(await texts(ada)).toEqual(['kept', 'goes on']);
  });
});

describe('when Redis is killed and restarted', () => {
  it('the status is degraded and then live, and each message arrives once', async () => {
    const {
      people: [ada, bob],
    } = await world.meet('redis', ['ada', 'bob']);
    await status(ada).getByText('Live', { exact: true }).waitFor();
    await ada.write('one');
    await bob.page.getByText('one', { exact: true }).waitFor();
    await world.redis.kill();
    await status(ada).getByText('Live, degraded').waitFor({ timeout: 20_000 });
    await status(ada).getByText('Redis is unavailable').waitFor();
    await ada.write('two');
    await bob.page.getByText('two', { exact: true }).waitFor();
    await world.redis.restart();
    await status(ada).getByText('Live', { exact: true }).waitFor({ timeout: 40_000 });
    await bob.write('three');
    await ada.page.getByText('three', { exact: true }).waitFor();
    expect(await texts(ada)).toEqual(['one', 'two', 'three']);
    expect(await texts(bob)).toEqual(['one', 'two', 'three']);
  });
});
