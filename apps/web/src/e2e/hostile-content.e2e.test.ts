import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tasksOf } from '../testing/main-thread.ts';
import { startWorld, type World } from '../testing/world.ts';

jest.setTimeout(120_000);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => world?.leave());
afterAll(() => world?.close());

async function meet(channelId: string) {
  const agent = world.agent('mallory');
  await agent.call('channel.create', { channelId, name: channelId });
  await agent.call('member.add', { channelId, agentId: 'ada' });
  const ada = await world.person('ada');
  await ada.open(channelId);
  return { room: agent.channel(channelId), ada };
}

describe('a hostile message', () => {
  it('with markup or addresses that run something is text, and asks nobody for anything', async () => {
    const { room, ada } = await meet('markup');
    const requests: string[] = [];
    ada.page.on('request', (request) => requests.push(request.url()));
    await room.send('<img src=x onerror="document.title=1"><script>document.title=2</script>');
    await room.send('[click me](javascript:document.title=3) ![pixel](https://evil.example/p.png)');
    await room.send('<iframe src="https://evil.example"></iframe><style>*{display:none}</style>');
    await room.emit('<b>turn</b>', { '<i>': '<script>document.title=4</script>' });
    await room.send('the last');
    await ada.page.getByText('the last').waitFor();
    await ada.page.getByText('click me').click();
    const { title, markup } = await ada.page.evaluate(() => ({
      title: document.title,
      markup: document.querySelectorAll('.rows :is(img, script, iframe, style)').length,
    }));
    expect(title).toBe('OpenClaw');
    expect(markup).toBe(0);
    expect(requests.filter((url) => url.includes('evil'))).toEqual([]);
    expect(ada.complaints).toEqual([]);
  });

  it('that turns the text around is shown as what it is', async () => {
    const { room, ada } = await meet('bidi');
    await room.send('invoice\u202Efdp.exe');
    await room.send('\u2066\u2067\u0007 end');
    await ada.page.locator('.escape', { hasText: 'U+202E' }).waitFor();
    await ada.page.locator('.escape', { hasText: 'U+2066' }).waitFor();
    await ada.page.locator('.escape', { hasText: 'U+0007' }).waitFor();
  });

  it('that is huge or deeply nested is folded, and the page goes on at once', async () => {
    const { room, ada } = await meet('huge');
    const tasksMs = await tasksOf(world.browser, ada.page, async () => {
      await room.send('x'.repeat(32_000));
      await ada.page.getByText(/Show all 32,000 characters/).waitFor();
      await room.send('> '.repeat(10_000));
      await room.send('*_`['.repeat(7_000));
      await room.send(`${'- '.repeat(1_400)}deep`);
      await room.send('\n'.repeat(20_000) + 'far down');
      await room.send('the last');
      await ada.page.getByText('the last').waitFor();
    });
    const width = await ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(Math.max(...tasksMs)).toBeLessThan(100);
    expect(width).toBe(0);
    expect(ada.complaints).toEqual([]);
  });
});
