import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { clickAction, useWorld, type Person } from '../testing/world.ts';

const world = useWorld();

/** Holds the page's next message until the test passes it to the hub or refuses it. */
async function holdNextMessage({ page }: Person) {
  const held = Promise.withResolvers<{ release: () => void; refuse: (reason: string) => void }>();
  let isHeld = false;
  await page.routeWebSocket(/.*/, (socket) => {
    const hub = socket.connectToServer();
    socket.onMessage((text) => {
      const { id, method } = JSON.parse(String(text)) as { id: number; method: string };
      if (isHeld || method !== 'message.send') return hub.send(text);
      isHeld = true;
      const refuse = (message: string) => {
        const error = { code: -32000, message, data: { code: 'forbidden' } };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, error }));
      };
      held.resolve({ release: () => hub.send(text), refuse });
    });
  });
  await page.reload();
  await page.locator('.conversation .leading').getByText('Beginning').waitFor();
  return { held: held.promise };
}

describe('a person who signs in by name', () => {
  it('is stored as a person, also after the page’s REST requests', async () => {
    const { room, people } = await world.meet('kinds', ['ada']);
    const [ada] = people;
    await ada.write('I am a person.');
    await ada.message('I am a person.').waitFor();
    const operations = ada.page.waitForResponse(/\/v1\/operations\?/);
    await ada.page.getByRole('link', { name: 'Operations' }).click();
    expect((await operations).ok()).toBe(true);
    const { messages } = await room.history({ limit: 1 });
    expect(messages[0]?.senderKind).toBe('person');
    const { members } = await room.members();
    const kinds = Object.fromEntries(members.map(({ agentId, kind }) => [agentId, kind]));
    expect(kinds).toEqual({ helper: 'agent', ada: 'person' });
  });
});

describe('two people and an agent', () => {
  it('see each other’s messages once and in order', async () => {
    const { agent, room, people } = await world.meet('talk', ['ada', 'bob']);
    const [ada, bob] = people;
    agent.on('event', ({ event }) => {
      if (event.type === 'channel.message' && event.message.content === 'Anyone there?') {
        void room.send('The **agent** is.');
      }
    });
    await ada.write('Anyone there?');
    await bob.message('Anyone there?').waitFor();
    await ada.message('The agent is.').waitFor();
    await bob.write('And bob.');
    await ada.message('And bob.').waitFor();
    const texts = await ada.page.locator('.conversation .message .content').allTextContents();
    expect(texts).toEqual(['Anyone there?', 'The agent is.', 'And bob.']);
    expect(await ada.message('The agent is.').locator('strong').textContent()).toBe('agent');
    expect([...ada.pageErrors, ...bob.pageErrors]).toEqual([]);
  });

  it('see each other’s edits, reactions and deletions', async () => {
    const { people } = await world.meet('changes', ['ada', 'bob']);
    const [ada, bob] = people;
    await ada.write('First words');
    await bob.message('First words').waitFor();
    await clickAction(bob.message('First words'), 'React');
    await bob.page.getByRole('button', { name: '👍', exact: true }).first().click();
    await ada.message('First words').locator('.reaction', { hasText: '👍' }).waitFor();
    await ada.message('First words').locator('.reaction').click();
    await bob.message('First words').locator('.reaction', { hasText: '2' }).waitFor();

    await ada.page.locator('.composer textarea').focus();
    await ada.page.keyboard.press('ArrowUp');
    await ada.page.getByLabel('Edit the message').fill('Better words');
    await ada.page.keyboard.press('Enter');
    await bob.message('Better words').getByText('(edited)').waitFor();

    await clickAction(ada.message('Better words'), 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await bob.page.getByText('This message was deleted.').waitFor();
    expect(await bob.message('words').count()).toBe(0);
  });

  it('reply in a thread beside the channel', async () => {
    const { room, people } = await world.meet('threads', ['ada', 'bob']);
    const [ada, bob] = people;
    await ada.write('A question of some length');
    await ada.message('A question').waitFor();
    await clickAction(ada.message('A question'), 'Reply in a thread');
    await ada.page.locator('.pane textarea').fill('and its detail');
    await ada.page.keyboard.press('Enter');
    await bob.message('A question').getByText('1 reply').click();
    await bob.page.locator('.pane .message', { hasText: 'and its detail' }).waitFor();
    const { messages } = await room.history();
    const root = messages.find(({ content }) => content.startsWith('A question'));
    await room.send('from the agent', { threadId: root?.id ?? '' });
    await bob.page.locator('.pane .message', { hasText: 'from the agent' }).waitFor();
    await ada.message('A question').getByText('2 replies').waitFor();
    await ada.page.getByRole('button', { name: 'Name this thread' }).click();
    await ada.page.getByLabel('Name of the thread').fill('Details');
    await ada.page.keyboard.press('Enter');
    await bob.message('A question').getByText('Details · 2 replies').waitFor();
    await bob.page.locator('.pane').getByRole('heading', { name: 'Details' }).waitFor();
    expect(await ada.message('and its detail').count()).toBe(0);
    expect(await ada.page.locator('.pane .message', { hasText: 'and its detail' }).count()).toBe(1);
  });

  it('mention each other; a mention is completed with Tab, highlighted, and counted in the sidebar', async () => {
    const { agent, people } = await world.meet('names', ['ada', 'bob']);
    const [ada, bob] = people;
    await agent.call('channel.create', { channelId: 'elsewhere', name: 'elsewhere' });
    await agent.call('member.add', { channelId: 'elsewhere', agentId: 'bob' });
    await bob.page.getByRole('link', { name: 'elsewhere' }).click();
    await bob.page.getByRole('heading', { name: 'elsewhere' }).waitFor();
    await ada.page.locator('.composer textarea').pressSequentially('Look, @bo');
    await ada.page.getByRole('option', { name: 'bob' }).waitFor();
    await ada.page.keyboard.press('Tab');
    await ada.page.keyboard.type('here');
    await ada.page.keyboard.press('Enter');
    const link = bob.page.locator('.sidebar .chat-link', { hasText: 'names' });
    await link.locator('.badge-mention', { hasText: '1' }).waitFor();
    await link.click();
    await bob.page.locator('.message.mentioned .mention-me', { hasText: '@bob' }).waitFor();
    await waitFor(async () => (await link.locator('.badge').count()) === 0, {
      what: 'the badge to be removed',
    });
  });

  it('write to each other directly, also when there is no direct channel yet', async () => {
    const { people } = await world.meet('lobby', ['ada', 'bob']);
    const [ada, bob] = people;
    await ada.page.keyboard.press('Control+k');
    // `fill` waits for the field. Keys that are typed before the field exists would go to the composer.
    await ada.page.getByRole('combobox').fill('bob');
    await ada.page.keyboard.press('Enter');
    await ada.page.getByText('No messages between you').waitFor();
    await ada.write('Between us');
    await ada.message('Between us').waitFor();
    const link = bob.page.locator('.sidebar .chat-link', { hasText: 'ada' });
    await link.locator('.badge-mention').waitFor();
    await link.click();
    await bob.message('Between us').waitFor();
    await bob.write('Understood');
    await ada.message('Understood').waitFor();
    expect(await ada.message('Between us').count()).toBe(1);
  });

  it('see typing and presence begin and end', async () => {
    const { agent, room, people } = await world.meet('presence', ['ada', 'bob']);
    const [ada, bob] = people;
    await room.startTyping();
    await ada.page.getByText('helper is typing').waitFor();
    await bob.page.locator('.composer textarea').pressSequentially('hm');
    await ada.page.getByText(/(helper and bob|bob and helper) are typing/).waitFor();
    await room.stopTyping();
    await ada.page.getByText('bob is typing').waitFor();
    await bob.page.keyboard.press('Enter');
    await ada.page.locator('.typing-line', { hasText: /^$/ }).waitFor();

    await agent.call('presence.set', { status: 'dnd', customStatus: 'Thinking' });
    await ada.page.getByRole('button', { name: /^Members/ }).click();
    const helper = ada.page.locator('.person', { hasText: 'helper' });
    await helper.getByText('Thinking').waitFor();
    await helper.locator('.dot-dnd').waitFor();
    await agent.close();
    await ada.page.locator('.person-offline', { hasText: 'helper' }).waitFor();
  });

  it('see who types in the open thread beside the thread, and who types in the channel below the channel', async () => {
    const { room, people } = await world.meet('typing-threads', ['ada', 'bob']);
    const [ada, bob] = people;
    await room.send('The root');
    await clickAction(ada.message('The root'), 'Reply in a thread');
    const root = (await room.history({ limit: 1 })).messages[0]!;
    const inChannel = ada.page.locator('.conversation-column .typing-line');
    const inThread = ada.page.locator('.pane .typing-line');
    await room.startTyping('another-thread');
    await room.startTyping(root.id);
    await inThread.getByText('helper is typing').waitFor();
    await bob.page.locator('.composer textarea').pressSequentially('hm');
    await inChannel.getByText('bob is typing').waitFor();
    expect(await inThread.textContent()).toBe('helper is typing');

    await room.startTyping();
    await inChannel.getByText(/(helper and bob|bob and helper) are typing/).waitFor();
    await room.send('The reply', { threadId: root.id });
    await ada.page.locator('.pane .typing-line', { hasText: /^$/ }).waitFor();
    expect(await inChannel.textContent()).toMatch(/^(helper and bob|bob and helper) are typing$/);
  });

  it('see the events of agents as lines that unfold', async () => {
    const { room, people } = await world.meet('work', ['ada']);
    const [ada] = people;
    await room.emit('task.end', { step: 3, model: 'opus', tools: ['read', 'write'] });
    const line = ada.page.locator('.collaboration', { hasText: 'task.end' });
    await line.getByText('step 3 · model opus · tools 2 items').waitFor();
    await line.locator('summary').click();
    await line.getByText('"model": "opus"').waitFor();
  });
});

describe('two messages of the same text', () => {
  /** Sends two equal messages. At the return, the first is still held, and Bob has received the second. */
  async function holdFirstOfTwo(channelId: string) {
    const { people } = await world.meet(channelId, ['ada', 'bob']);
    const [ada, bob] = people;
    const { held } = await holdNextMessage(ada);
    await ada.write('Same');
    const first = await held;
    await ada.write('Same');
    await bob.message('Same').waitFor();
    return { ada, bob, first };
  }

  // The race: the first message is slow. The event of the second message arrives before the first is stored.
  it('are shown as sending and as stored, each by itself', async () => {
    const { ada, bob, first } = await holdFirstOfTwo('equal');
    const stored = ada.page.locator('.conversation .rows .message', { hasText: 'Same' });
    const sending = ada.page.locator('.outgoing', { hasText: 'Sending…' });
    await stored.waitFor();
    // The page shows a channel's events in order. When it shows this message, it has also got the second “Same”.
    await bob.write('Later');
    await ada.message('Later').waitFor();
    expect([await stored.count(), await sending.count()]).toEqual([1, 1]);
    first.release();
    await waitFor(async () => (await stored.count()) === 2, { what: 'both to be stored' });
    await waitFor(async () => (await ada.message('Same').count()) === 2);
    await waitFor(async () => (await bob.message('Same').count()) === 2);
    expect(ada.pageErrors).toEqual([]);
  });

  it('are shown as refused and as stored, each by itself', async () => {
    const { ada, bob, first } = await holdFirstOfTwo('refused');
    first.refuse('not now');
    await ada.page.locator('.outgoing-failed', { hasText: 'not now' }).waitFor();
    expect(await ada.message('Same').count()).toBe(2);
    await ada.page.getByRole('button', { name: 'Try again' }).click();
    await waitFor(async () => (await ada.page.locator('.outgoing').count()) === 0);
    expect(await ada.message('Same').count()).toBe(2);
    await waitFor(async () => (await bob.message('Same').count()) === 2);
  });

  // The race: the page is reloaded before the answer.
  it('are stored once each when the page is reloaded before the first one arrives', async () => {
    const { ada, bob } = await holdFirstOfTwo('pending');
    await ada.page.reload();
    await ada.open('pending');
    await waitFor(async () => (await bob.message('Same').count()) === 2);
    await waitFor(async () => (await ada.page.locator('.outgoing').count()) === 0);
    expect(await ada.message('Same').count()).toBe(2);
  });
});

describe('a channel', () => {
  it('is created, joined by another, left and archived', async () => {
    const ada = await world.person('ada');
    await ada.page.getByRole('button', { name: 'Create a channel' }).first().click();
    await ada.page.getByLabel('Name').fill('Garden');
    await ada.page.getByLabel('Topic (optional)').fill('What grows');
    await ada.page.getByRole('button', { name: 'Create', exact: true }).click();
    await ada.page.getByRole('heading', { name: 'Garden' }).waitFor();

    const bob = await world.person('bob');
    await bob.page.locator('.conversation, .channel-list').first().waitFor();
    await bob.page.getByRole('link', { name: 'Browse channels' }).click();
    await bob.page.getByRole('button', { name: 'Join Garden' }).click();
    await bob.page.getByRole('heading', { name: 'Garden' }).waitFor();
    await ada.page.getByText('bob joined').waitFor();

    await ada.page.getByRole('button', { name: 'More', exact: true }).click();
    await ada.page.getByRole('button', { name: 'Archive this channel…' }).click();
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await bob.page.getByText('This channel is archived').waitFor();
  });

  it('that others create, archive or delete changes the list that is shown', async () => {
    const bob = await world.person('bob');
    await bob.page.locator('.conversation, main.page').first().waitFor();
    await bob.page.getByRole('link', { name: 'Browse channels' }).click();
    const list = bob.page.locator('.channel-list');
    await bob.page.getByRole('heading', { name: 'Channels', level: 1 }).waitFor();
    const helper = world.agent('helper');
    const ids: string[] = [];
    for (const name of ['Orchard', 'Pond']) {
      const { channel } = await helper.createChannel({ name });
      ids.push(channel.channelId);
      await bob.page.getByRole('button', { name: `Join ${name}` }).waitFor();
    }
    const [orchard = '', pond = ''] = ids;
    await helper.channel(orchard).deleteChannel();
    await helper.channel(pond).archive();
    const shown = (name: string) => list.locator('li', { hasText: name });
    await shown('Orchard').waitFor({ state: 'detached' });
    await shown('Pond').getByText('archived').waitFor();
  });

  it('has owners, who appoint owners and remove members', async () => {
    const ada = await world.person('ada');
    await ada.page.getByRole('button', { name: 'Create a channel' }).first().click();
    await ada.page.getByLabel('Name').fill('Shed');
    await ada.page.getByRole('button', { name: 'Create', exact: true }).click();
    await ada.page.getByRole('heading', { name: 'Shed' }).waitFor();
    await ada.page.getByRole('button', { name: /^Members/ }).click();
    const bob = await world.person('bob');
    const chooser = ada.page.getByLabel('Add a member by name');
    await chooser.fill('bo');
    await ada.page.getByRole('option', { name: 'bob' }).waitFor();
    await ada.page.keyboard.press('Enter');
    // The hub does not know `eve`, so Enter adds nobody.
    await chooser.fill('eve');
    await ada.page.keyboard.press('Enter');
    await ada.page.getByRole('button', { name: 'Add eve all the same' }).click();
    await bob.page.getByRole('link', { name: 'Shed' }).click();
    await bob.page.getByRole('button', { name: /^Members: 3/ }).click();
    expect(await bob.page.getByRole('button', { name: 'Change eve' }).count()).toBe(0);

    await ada.page.getByRole('button', { name: 'Change bob' }).click();
    await ada.page.getByRole('button', { name: 'Make owner' }).click();
    const row = ada.page.locator('.member', { hasText: 'bob' });
    await row.locator('.role', { hasText: 'owner' }).waitFor();
    await bob.page.getByRole('button', { name: 'Change eve' }).click();
    await bob.page.getByRole('button', { name: 'Remove…' }).click();
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await ada.page.getByRole('button', { name: 'Members: 2' }).waitFor();

    await row.getByRole('button', { name: 'Change bob' }).click();
    await row.getByRole('button', { name: 'Remove…' }).click();
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await bob.page.getByText('You are not a member of this channel.').waitFor();
  });

  it('with many messages draws only those in view, loads older ones by page, and can be searched', async () => {
    const { agent, room, people } = await world.meet('long', ['ada']);
    const [ada] = people;
    const sends: Promise<unknown>[] = [];
    for (let n = 0; n < 900; n += 1) sends.push(room.send(n === 5 ? 'the needle' : `line ${n}`));
    await Promise.all(sends);
    await ada.message('line 899').waitFor();
    expect(await ada.page.locator('.conversation .row').count()).toBeLessThan(120);
    // The hub must have marked these messages as read. Otherwise the count below would include them.
    const reader = world.agent('ada');
    const isRead = async () => {
      const { channels } = await reader.readState();
      return channels.find(({ channelId }) => channelId === 'long')?.unread === 0;
    };
    await waitFor(isRead, { what: 'the read mark' });
    await ada.page.reload();
    await ada.open('long');
    await ada.page.getByRole('button', { name: 'Search' }).click();
    await ada.page.getByLabel('Search for words').fill('needle');
    const more = ada.page.getByRole('button', { name: 'Load older messages' });
    await waitFor(
      async () => {
        if ((await ada.page.locator('.found').count()) > 0) return true;
        if (await more.isEnabled({ timeout: 500 }).catch(() => false)) await more.click();
        return false;
      },
      { timeoutMs: 30_000, everyMs: 100, what: 'the needle' },
    );
    await ada.page.locator('.found').click();
    await ada.page.locator('.row-marked', { hasText: 'the needle' }).waitFor();
    const before = await ada.page.locator('.row-marked').boundingBox();
    await agent.channel('long').send('something new');
    await ada.page.getByRole('button', { name: /1 new/ }).waitFor();
    expect((await ada.page.locator('.row-marked').boundingBox())?.y).toBeCloseTo(before?.y ?? 0, 0);
    await ada.page.getByRole('button', { name: /1 new/ }).click();
    await ada.message('something new').waitFor();
  });
});
