import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { startWorld, type Person, type World } from '../testing/world.ts';

jest.setTimeout(180_000);
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => world?.leave());
afterAll(() => world?.close());

/** A channel of the agent's with these people in it, the first of whom has it open. */
async function meet(channelId: string, name: string, ...others: string[]) {
  const agent = world.agent('helper');
  await agent.call('channel.create', { channelId, name: channelId });
  for (const agentId of [name, ...others]) await agent.call('member.add', { channelId, agentId });
  const person = await world.person(name);
  await person.open(channelId);
  return { agent, room: agent.channel(channelId), person };
}

type Room = Awaited<ReturnType<typeof meet>>['room'];

async function sendLines(room: Room, count: number, text: string, threadId: string | null = null) {
  const sends: Promise<unknown>[] = [];
  for (let n = 0; n < count; n += 1) sends.push(room.send(`${text} ${n}.`, { threadId }));
  await Promise.all(sends);
}

const message = ({ page }: Person, text: string) =>
  page.locator('.conversation .message', { hasText: text });
const reply = ({ page }: Person, text: string) => page.locator('.pane .message', { hasText: text });
const composer = ({ page }: Person) => page.locator('.conversation-column .composer textarea');
const editor = ({ page }: Person) => page.getByLabel('Edit the message');

type Found = ReturnType<typeof message>;

/** Is one of these within what its scrolled list shows? */
function isInView(found: Found): Promise<boolean> {
  return found.evaluateAll((elements) =>
    elements.some((element) => {
      const view = element.closest('.scroller, .thread-scroll')?.getBoundingClientRect();
      const { top, bottom } = element.getBoundingClientRect();
      return view !== undefined && top < view.bottom - 4 && bottom > view.top + 4;
    }),
  );
}

/** What is not acknowledged yet cannot be changed. */
const acknowledged = ({ page }: Person) =>
  waitFor(async () => (await page.locator('.outgoing').count()) === 0, { what: 'the answers' });

const seen = (found: Found, what: string) =>
  waitFor(() => isInView(found), { timeoutMs: 30_000, what: `${what} is in view` });

/** Scrolls as a wheel does, until something is so. */
async function wheelUntil(list: Found, deltaY: number, isSo: () => Promise<boolean>) {
  await list.hover({ position: { x: 5, y: 60 } });
  await waitFor(
    async () => {
      if (await isSo()) return true;
      await list.page().mouse.wheel(0, deltaY);
      return false;
    },
    { timeoutMs: 30_000, everyMs: 100, what: 'it is scrolled there' },
  );
}

/** Presses a button of a message, as a pointer does: it shows when the message is pointed at. */
async function act(found: Found, label: string) {
  await found.hover();
  await found.getByRole('button', { name: label, exact: true }).click();
}

describe('who comes back to a channel', () => {
  async function furnish(channelId: string) {
    const met = await meet(channelId, 'ada');
    await met.agent.call('channel.create', { channelId: `${channelId}-2`, name: 'other' });
    await met.agent.call('member.add', { channelId: `${channelId}-2`, agentId: 'ada' });
    await met.room.send('the needle');
    await sendLines(met.room, 50, 'line');
    await met.room.send('the end');
    await seen(message(met.person, 'the end'), 'the end');
    const leaveAndReturn = async () => {
      await met.person.open(`${channelId}-2`);
      await met.person.page.getByRole('heading', { name: 'other' }).waitFor();
      await met.person.open(channelId);
      await met.person.page.getByRole('heading', { name: channelId, exact: true }).waitFor();
    };
    return { ...met, leaveAndReturn };
  }

  it('stands at the newest message, though it was left further up', async () => {
    const { room, person, leaveAndReturn } = await furnish('left-above');
    await wheelUntil(person.page.locator('.scroller'), -600, () =>
      isInView(message(person, 'the needle')),
    );
    await leaveAndReturn();
    await seen(message(person, 'the end'), 'the newest');
    await room.send('and on');
    await seen(message(person, 'and on'), 'what comes then');
  });

  it('is not led to what was found before; who presses the same hit again is', async () => {
    const { person, leaveAndReturn } = await furnish('found-before');
    const { page } = person;
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByLabel('Words to look for').fill('needle');
    const marked = page.locator('.row-marked', { hasText: 'the needle' });
    await page.locator('.found').click();
    await seen(marked, 'the hit');
    await wheelUntil(page.locator('.scroller'), 600, () => isInView(message(person, 'the end')));
    await page.locator('.found').click();
    await seen(marked, 'the hit, again');
    await leaveAndReturn();
    await seen(message(person, 'the end'), 'the newest');
    expect(await page.locator('.row-marked').count()).toBe(0);
  });
});

describe('who changes a message', () => {
  it('keeps it in view and its text, however much comes meanwhile', async () => {
    const { room, person } = await meet('busy', 'ada');
    const { page } = person;
    await sendLines(room, 30, 'before');
    await person.write('first words');
    await seen(message(person, 'first words'), 'the message');
    await acknowledged(person);
    await page.keyboard.press('ArrowUp');
    await editor(person).fill('better words');
    // An edit hides a text and does not remove it: whoever pasted a secret must know.
    await page.getByText('The former text stays in the log').waitFor();
    await sendLines(room, 120, 'meanwhile');
    await page.getByRole('button', { name: /new/ }).waitFor();
    await seen(editor(person), 'the editor');
    expect(await editor(person).inputValue()).toBe('better words');

    // Its row leaves the view, and is brought back.
    await page.locator('.jump-to-new').click();
    await seen(message(person, 'meanwhile 119.'), 'the newest');
    await waitFor(async () => (await editor(person).count()) === 0, { what: 'the row is gone' });
    await composer(person).focus();
    await page.keyboard.press('ArrowUp');
    await seen(editor(person), 'the editor, again');
    expect(await editor(person).inputValue()).toBe('better words');
    await page.keyboard.press('Enter');
    await message(person, 'better words').getByText('(edited)').waitFor();
  });

  it('at the end goes on following when it is done', async () => {
    const { room, person } = await meet('goes-on', 'ada');
    await sendLines(room, 30, 'before');
    await person.write('first words');
    await seen(message(person, 'first words'), 'the message');
    await acknowledged(person);
    await person.page.keyboard.press('ArrowUp');
    await editor(person).press('Escape');
    await sendLines(room, 30, 'after');
    await seen(message(person, 'after 29.'), 'the newest');
  });

  it('of which there is a thread changes it in one place', async () => {
    const { person } = await meet('one-editor', 'ada');
    await person.write('the root');
    await act(message(person, 'the root'), 'Reply in a thread');
    await reply(person, 'the root').waitFor();
    await act(message(person, 'the root'), 'Edit');
    await editor(person).waitFor();
    expect(await editor(person).count()).toBe(1);
    expect(await person.page.locator('.pane .edit').count()).toBe(0);
  });
});

describe('a name of one’s own choosing', () => {
  it('never stands without the id', async () => {
    const { room, person } = await meet('names', 'ada', 'bob');
    await room.updateMember('helper', { displayName: 'bob' });
    await room.send('I am bob');
    const author = message(person, 'I am bob').locator('.author');
    await waitFor(async () => (await author.textContent()) === 'bob helper', { what: 'both' });
    await person.page.getByRole('button', { name: /^Members/ }).click();
    await person.page.locator('.person-name', { hasText: 'bob helper' }).waitFor();
  });

  it('is shown in a notice with what turns it around, and cut short', async () => {
    const { room, person } = await meet('notices', 'ada');
    const { page } = person;
    await room.updateMember('ada', { role: 'owner' });
    await page.getByRole('button', { name: /^Members/ }).click();
    await page.getByLabel('Add a member by name').fill(`a\u202Eb${'c'.repeat(5_000)}`);
    await page.keyboard.press('Enter');
    const notice = page.locator('.notice', { hasText: 'a‹U+202E›b' });
    await notice.waitFor();
    const text = (await notice.textContent()) ?? '';
    expect(text).not.toContain('\u202E');
    expect(text.length).toBeLessThan(1_200);
  });
});

describe('a thread', () => {
  it('is read back to its beginning, and follows what comes at its end alone', async () => {
    const { room, person } = await meet('long-thread', 'ada');
    const { messageId } = await room.send('the root');
    await sendLines(room, 230, 'reply', messageId);
    await message(person, 'the root').locator('.replies').click();
    await seen(reply(person, 'reply 229.'), 'the last reply');
    await room.send('one more', { threadId: messageId });
    await seen(reply(person, 'one more'), 'what comes at the end');

    const list = person.page.locator('.thread-scroll');
    const older = person.page.getByRole('button', { name: 'Older replies' });
    await wheelUntil(list, -3_000, () => list.evaluate(({ scrollTop }) => scrollTop === 0));
    // The first of the page: the root and 231 replies, less the newest 200.
    const first = reply(person, 'reply 31.');
    const before = await first.boundingBox();
    await older.click();
    await waitFor(async () => (await person.page.locator('.pane .message').count()) === 232);
    expect(await older.count()).toBe(0);
    const after = await first.boundingBox();
    expect(Math.abs((after?.y ?? 0) - (before?.y ?? 0))).toBeLessThan(60);
    await wheelUntil(list, -3_000, () => isInView(reply(person, 'the root')));

    // What comes does not move who reads further up.
    await room.send('the newest', { threadId: messageId });
    await reply(person, 'the newest').waitFor();
    expect(await isInView(reply(person, 'the root'))).toBe(true);
    await wheelUntil(list, 9_000, () => isInView(reply(person, 'the newest')));
    await room.send('the very newest', { threadId: messageId });
    await seen(reply(person, 'the very newest'), 'what comes at the end');
  });

  it('stays open when Esc closes something in it; from its box, arrow up goes to one’s last reply', async () => {
    const { room, person } = await meet('escapes', 'ada');
    const { page } = person;
    await room.send('the root');
    await message(person, 'the root').waitFor();
    await act(message(person, 'the root'), 'Reply in a thread');
    const box = page.locator('.pane .composer textarea');
    await box.fill('my reply');
    await box.press('Enter');
    await reply(person, 'my reply').locator('time').first().waitFor();
    await person.write('in the channel');
    await message(person, 'in the channel').locator('time').first().waitFor();

    await box.focus();
    await page.keyboard.press('ArrowUp');
    expect(await editor(person).inputValue()).toBe('my reply');
    await editor(person).press('Escape');
    await editor(person).waitFor({ state: 'detached' });

    await act(reply(person, 'my reply'), 'React');
    await page.locator('.picker').waitFor();
    await page.locator('.picker button').first().press('Escape');
    await page.locator('.picker').waitFor({ state: 'detached' });

    await act(reply(person, 'my reply'), 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.locator('.pane').count()).toBe(1);

    // Where nothing is open in it, Esc closes it.
    await box.press('Escape');
    await page.locator('.pane').waitFor({ state: 'detached' });
  });
});

describe('a name that is being written', () => {
  it('is completed where the caret is', async () => {
    const { person } = await meet('carets', 'ada', 'bob');
    const { page } = person;
    await composer(person).pressSequentially('@helper and @bo');
    const option = page.getByRole('option', { name: 'bob' });
    await option.waitFor();
    expect(await composer(person).getAttribute('aria-activedescendant')).toBe(
      await option.getAttribute('id'),
    );
    // Back to where only the b of it is before the caret.
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Tab');
    expect(await composer(person).inputValue()).toBe('@helper and @bob o');
    // Into the other name: it is that one now.
    for (let n = 0; n < '@bob o'.length + ' and '.length + 2; n += 1) {
      await page.keyboard.press('ArrowLeft');
    }
    await page.getByRole('option', { name: 'helper' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('option').waitFor({ state: 'detached' });
  });
});

describe('what is being written to somebody for the first time', () => {
  it('is still there when they write first', async () => {
    const { agent, person } = await meet('strangers', 'ada');
    await person.page.evaluate(() => (location.hash = '#/direct/helper'));
    await person.page.getByText('Nothing has been said').waitFor();
    await composer(person).fill('half a sent');
    await agent.direct('ada').send('Hello, ada');
    await message(person, 'Hello, ada').waitFor();
    expect(await composer(person).inputValue()).toBe('half a sent');
    await composer(person).press('Enter');
    await message(person, 'half a sent').locator('time').first().waitFor();
  });
});

describe('who comes to the page', () => {
  it('is led to a channel, and back out by Back', async () => {
    const { person } = await meet('first', 'ada');
    const { page } = person;
    const before = await page.evaluate(() => history.length);
    await page.evaluate(() => location.assign('#/'));
    await page.waitForURL(/#\/channel\//);
    expect(await page.evaluate(() => history.length)).toBe(before + 1);
    await page.goBack();
    await page.waitForURL(/#\/channel\/first/);
  });
});
