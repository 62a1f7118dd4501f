import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { clickAction, useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

async function copied({ page }: Person): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

async function allowCopies({ page }: Person) {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
}

describe('a block of code', () => {
  it('is coloured and can be copied; its characters stay as they are', async () => {
    const { room, people } = await world.meet('code', ['ada']);
    const [ada] = people;
    await allowCopies(ada);
    const code = 'def total(items):\n    # adds\n    return sum(items) or "none"';
    await room.send(`Look:\n\n\`\`\`python\n${code}\n\`\`\``);
    await room.send('```nolanguage\n<b>plain</b>\n```');
    const block = ada.message('Look').locator('.code');
    await block.locator('.hljs-keyword', { hasText: 'def' }).waitFor();
    expect(await block.locator('pre').textContent()).toBe(code);
    expect(await block.locator('.hljs-comment').textContent()).toBe('# adds');
    await block.hover();
    await block.getByRole('button', { name: 'Copy the code' }).click();
    await waitFor(async () => (await copied(ada)) === code, { what: 'the code to be copied' });
    const plain = ada.message('plain').locator('.code');
    expect(await plain.locator('pre').textContent()).toBe('<b>plain</b>');
    expect(await plain.locator('pre b').count()).toBe(0);
    expect(ada.pageErrors).toEqual([]);
  });

  it('of hostile text has its invisible characters named, and adds no elements but spans', async () => {
    const { room, people } = await world.meet('hostile-code', ['ada']);
    const [ada] = people;
    await room.send('```js\nlet a = "<img src=x onerror=alert(1)>\u202E"; // </span><script>\n```');
    const block = ada.message('let a').locator('.code');
    await block.locator('.hljs-keyword').waitFor();
    await block.locator('.escape', { hasText: 'U+202E' }).waitFor();
    const tags = await block
      .locator('pre code *')
      .evaluateAll((found) => [...new Set(found.map(({ tagName }) => tagName))]);
    expect(tags).toEqual(['SPAN']);
    expect(ada.pageErrors).toEqual([]);
  });
});

describe('a message', () => {
  it('can be copied as text and as a link, which opens it through the sign-in', async () => {
    const { room, people } = await world.meet('linked', ['ada', 'bob']);
    const [ada, bob] = people;
    await allowCopies(ada);
    await room.send('the **needle**');
    const { messageId } = await room.send('the root');
    for (let n = 0; n < 120; n += 1) await room.send(`line ${n}.`);
    await room.send('the reply', { threadId: messageId });
    await ada.message('line 119.').waitFor();
    const list = ada.page.locator('.conversation .scroller');
    await waitFor(
      async () => {
        await list.evaluate((element) => (element.scrollTop = 0));
        return (await ada.message('needle').count()) > 0;
      },
      { what: 'the first message' },
    );
    await clickAction(ada.message('needle'), 'Copy the text');
    await waitFor(async () => (await copied(ada)) === 'the **needle**');
    await clickAction(ada.message('needle'), 'Copy a link');
    await waitFor(async () => (await copied(ada)).includes('/message/'));
    const link = await copied(ada);

    // The link works when Bob clicks it in a message, and when he opens it before he signs in.
    await ada.write(`See ${link}`);
    await bob.message('See').getByRole('link').last().click();
    await bob.page.locator('.row-marked', { hasText: 'needle' }).waitFor();
    await bob.page.getByRole('button', { name: 'Sign out' }).click();
    await bob.page.getByLabel('Your name').waitFor();
    await bob.page.goto(link);
    await bob.page.getByLabel('Your name').fill('bob');
    await bob.page.getByRole('button', { name: 'Sign in' }).click();
    await bob.page.locator('.row-marked', { hasText: 'needle' }).waitFor();
    const reply = await room.history({ threadId: messageId, limit: 10 });
    const { seq } = reply.messages.at(-1) ?? { seq: 0 };
    await bob.page.goto(`${world.hub.httpUrl}/#/channel/linked/thread/${messageId}/message/${seq}`);
    await bob.page.locator('.pane .row-marked', { hasText: 'the reply' }).waitFor();
    expect([...ada.pageErrors, ...bob.pageErrors]).toEqual([]);
  });
});

describe('the built page', () => {
  it('has at most 220 kB compressed in all, and loads the colours of code on demand', async () => {
    const files = await readdir(join(world.pageDir, 'assets'));
    const sizeOf = async (file: string) => (await stat(join(world.pageDir, 'assets', file))).size;
    const compressed = files.filter((file) => file.endsWith('.br'));
    const isPlain = (file: string) =>
      !file.endsWith('.br') && !file.endsWith('.gz') && !files.includes(`${file}.br`);
    const sizes = await Promise.all([...compressed, ...files.filter(isPlain)].map(sizeOf));
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeLessThanOrEqual(220_000);
    expect(compressed.some((file) => file.startsWith('highlighter'))).toBe(true);
  });
});
