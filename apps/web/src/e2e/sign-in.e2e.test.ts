import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { signToken } from '@openclaw/test-support';
import type { Page } from 'playwright-core';
import { startWorld, type World } from '../testing/world.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';

jest.setTimeout(120_000);
let world: World;
beforeAll(async () => {
  world = await startWorld({ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret });
});
afterEach(() => world?.leave());
afterAll(() => world?.close());

async function signIn(page: Page, token: string) {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe('signing in with a token', () => {
  it('is what a hub with tokens asks for; the token stays with the tab, and in no address', async () => {
    const token = signToken(secret, 'ada');
    const page = await world.tab();
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    page.on('websocket', (socket) => addresses.push(socket.url()));
    await page.goto(world.url);
    await signIn(page, token);
    await page.getByRole('button', { name: 'Create a channel' }).first().click();
    await page.getByLabel('Name').fill('Garden');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    expect(addresses.some((address) => address.startsWith('ws'))).toBe(true);
    expect(addresses.filter((address) => address.includes(token))).toEqual([]);
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(world.url);
    await elsewhere.getByLabel('Access token').waitFor();
  });

  it('says what is wrong with it, and lets one try again', async () => {
    const page = await world.tab();
    await page.goto(world.url);
    await signIn(page, signToken('another secret of more than 32 characters', 'ada'));
    await page.getByRole('alert').waitFor();
    await signIn(page, signToken(secret, 'ada'));
    await page.locator('.workspace').waitFor();
  });

  it('leads back to it once the token is over', async () => {
    const page = await world.tab();
    await page.goto(world.url);
    await signIn(page, signToken(secret, 'ada', 6));
    await page.locator('.workspace').waitFor();
    await page.getByLabel('Access token').waitFor();
    expect(await page.getByRole('alert').textContent()).toMatch(/token/i);
  });

  it('does not show operations to those who are no admins', async () => {
    const page = await world.tab();
    await page.goto(world.url);
    await signIn(page, signToken(secret, 'ada'));
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByText('This view is for admins only.').waitFor();
  });
});
