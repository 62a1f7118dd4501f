import { describe, expect, it } from '@jest/globals';
import { createClient } from '@openclaw/client';
import { signToken, waitFor } from '@openclaw/test-support';
import { personOn, useWorld } from '../testing/world.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
const world = useWorld(async () => ({ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret }));

const tokenOf = (agentId: string, role: string | null = null) =>
  signToken(secret, agentId, 3_600, { kind: 'person', ...(role !== null && { role }) });

async function signedIn(agentId: string, { role = null as string | null, hash = '' } = {}) {
  const page = await world.tab();
  await page.goto(`${world.hub.httpUrl}${hash}`);
  await page.getByLabel('Access token').fill(tokenOf(agentId, role));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.workspace').waitFor();
  return personOn(page);
}

async function furnish(channelId: string, kind: 'public' | 'private') {
  const [bot, other] = ['bot', 'other'].map((name) =>
    createClient({ url: world.hub.url, token: tokenOf(name) }),
  ) as [ReturnType<typeof createClient>, ReturnType<typeof createClient>];
  await bot.createChannel({ channelId, name: channelId, kind, topic: 'Between agents' });
  const room = bot.channel(channelId);
  await room.addMember('other');
  await room.send('first words');
  await other.channel(channelId).send('second words');
  return { bot, room, close: () => Promise.all([bot.close(), other.close()]) };
}

async function observations(): Promise<string[]> {
  const response = await fetch(`${world.hub.httpUrl}/v1/audit?action=channel.observe`, {
    headers: { authorization: `Bearer ${tokenOf('auditor', 'admin')}` },
  });
  const { entries } = (await response.json()) as { entries: { actor: string; target: string }[] };
  return entries.map(({ actor, target }) => `${actor} ${target}`);
}

describe('an admin', () => {
  it('reads along in a private channel, live and without writing, and the audit log says so', async () => {
    const { room, bot, close } = await furnish('cabal', 'private');
    const root = await signedIn('root', { role: 'admin', hash: '#/browse' });
    const { page } = root;
    await page.getByRole('button', { name: 'Private' }).click();
    await page.getByRole('link', { name: 'Read along in cabal' }).click();
    await root.message('first words').waitFor();
    await page.getByText('This is in the audit log.').waitFor();
    await room.send('third words');
    await root.message('third words').waitFor();
    expect(await root.composer.count()).toBe(0);
    await root.message('third words').hover();
    await page.getByRole('button', { name: 'Copy the text' }).waitFor();
    for (const name of ['React', 'Reply in a thread', 'Mark unread'])
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
    expect(await page.locator('.sidebar .chat-link', { hasText: 'cabal' }).count()).toBe(0);
    expect((await room.members()).members.map(({ agentId }) => agentId)).toEqual(['bot', 'other']);
    // The hub does not list the observer as present, although the observer follows the channel live.
    const present = async () => (await room.presence()).presences.map(({ agentId }) => agentId);
    await room.subscribe();
    await waitFor(async () => (await present()).includes('bot'), { what: 'the bot' });
    expect(await present()).not.toContain('root');
    await waitFor(async () => (await observations()).includes('root cabal'), { what: 'the entry' });
    await page.evaluate(() => (location.hash = '#/browse'));
    await page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    await root.open('cabal');
    await page.getByRole('button', { name: 'Become a member' }).click();
    await root.composer.waitFor();
    await root.write('now I may');
    await root.message('now I may').locator('time').first().waitFor();
    await bot.channel('cabal').send('welcome');
    await root.message('welcome').waitFor();
    expect(root.pageErrors).toEqual([]);
    await close();
  });
});

describe('a link into a public channel', () => {
  it('previews it with Join, and leads to its message after that', async () => {
    const { room, close } = await furnish('plaza', 'public');
    for (let n = 0; n < 80; n += 1) await room.send(`line ${n}.`);
    const { messages } = await room.history({ limit: 90 });
    const seq = messages.find(({ content }) => content === 'line 7.')?.seq ?? 0;
    const ada = await signedIn('ada', { hash: `#/channel/plaza/message/${seq}` });
    const { page } = ada;
    await page.getByText('Between agents').waitFor();
    expect(await page.locator('.message').count()).toBe(0);
    await page.getByRole('button', { name: 'Join' }).click();
    await page.locator('.row-marked', { hasText: 'line 7.' }).waitFor();
    await ada.composer.waitFor();
    const { close: closeCabal } = await furnish('closed', 'private');
    await page.evaluate(() => (location.hash = '#/channel/closed'));
    await page.getByText('It is private, or it does not exist any more.').waitFor();
    expect(await observations()).not.toContain('ada closed');
    expect(ada.pageErrors).toEqual([]);
    await close();
    await closeCabal();
  });
});
