import { describe, expect, it } from '@jest/globals';
import { signToken } from '@openclaw/test-support';
import type { Page } from 'playwright-core';
import { useWorld } from '../testing/world.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';

const world = useWorld(async () => ({ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret }));

async function signIn(page: Page, token: string) {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe('signing in with a token', () => {
  it('is required by a hub with tokens; the open tabs share the token, which is kept out of every address and not stored', async () => {
    const token = signToken(secret, 'ada');
    const page = await world.tab();
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    page.on('websocket', (socket) => addresses.push(socket.url()));
    await page.goto(world.hub.httpUrl);
    await signIn(page, token);
    await page.getByRole('button', { name: 'Create a channel' }).first().click();
    await page.getByLabel('Name').fill('Garden');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    expect(addresses.some((address) => address.startsWith('ws'))).toBe(true);
    expect(addresses.filter((address) => address.includes(token))).toEqual([]);
    const context = page.context();
    const elsewhere = await context.newPage();
    await elsewhere.goto(world.hub.httpUrl);
    await elsewhere.getByRole('heading', { name: 'Garden' }).waitFor();
    const stored = await page.evaluate(() => JSON.stringify(localStorage));
    expect(stored).not.toContain(token);
    await Promise.all([page.close(), elsewhere.close()]);
    const later = await context.newPage();
    await later.goto(world.hub.httpUrl);
    await later.getByLabel('Access token').waitFor();
  });

  it('shows why a token is refused, and lets the user try again', async () => {
    const page = await world.tab();
    await page.goto(world.hub.httpUrl);
    await signIn(page, signToken('another secret of more than 32 characters', 'ada'));
    await page.getByRole('alert').waitFor();
    await signIn(page, signToken(secret, 'ada'));
    await page.locator('.workspace').waitFor();
  });

  it('returns to the form when the token expires', async () => {
    const page = await world.tab();
    await page.goto(world.hub.httpUrl);
    await signIn(page, signToken(secret, 'ada', 6));
    await page.locator('.workspace').waitFor();
    await page.getByLabel('Access token').waitFor();
    expect(await page.getByRole('alert').textContent()).toMatch(/token/i);
  });

  it('shows operations to admins only', async () => {
    const page = await world.tab();
    await page.goto(world.hub.httpUrl);
    await signIn(page, signToken(secret, 'ada'));
    await page.getByRole('link', { name: 'Operations' }).click();
    await page.getByText('This view is for admins only.').waitFor();
  });
});
