import { describe, expect, it } from '@jest/globals';
import { tasksOf } from '../testing/main-thread.ts';
import { useWorld } from '../testing/world.ts';

const world = useWorld();

describe('a hostile message', () => {
  it('with markup or script addresses is shown as text, and makes no requests', async () => {
    const {
      room,
      people: [ada],
    } = await world.meet('markup', ['ada']);
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
    expect(title).toBe('markup · OpenClaw');
    expect(markup).toBe(0);
    expect(requests.filter((url) => url.includes('evil'))).toEqual([]);
    expect(ada.pageErrors).toEqual([]);
  });

  it('with bidirectional controls has them named', async () => {
    const {
      room,
      people: [ada],
    } = await world.meet('bidi', ['ada']);
    await room.send('invoice\u202Efdp.exe');
    await room.send('\u2066\u2067\u0007 end');
    await ada.page.locator('.escape', { hasText: 'U+202E' }).waitFor();
    await ada.page.locator('.escape', { hasText: 'U+2066' }).waitFor();
    await ada.page.locator('.escape', { hasText: 'U+0007' }).waitFor();
  });

  it('that is huge or deeply nested is folded, and does not block the page', async () => {
    const {
      room,
      people: [ada],
    } = await world.meet('huge', ['ada']);
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
    expect(ada.pageErrors).toEqual([]);
  });
});
