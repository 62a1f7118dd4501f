import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import { createClient, type HubClient } from '@openclaw/client';
import { signToken, waitFor } from '@openclaw/test-support';
import { personOn, useWorld, type TabOptions } from '../testing/world.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const world = useWorld(async () => ({
  ...{ HUB_AUTH: 'jwt', HUB_JWT_SECRET: secret, HUB_HOST: '127.0.0.1' },
}));
const shots = process.env.PAGE_SHOTS;

function agentOf(name: string): HubClient {
  const token = signToken(secret, name);
  return createClient({ url: world.hub.url, token, backoffMinMs: 50, backoffMaxMs: 300 });
}

async function personOf(name: string, options: TabOptions & { role?: string } = {}) {
  const { role = 'member', ...tab } = options;
  const person = personOn(await world.tab(tab));
  await person.page.goto(world.hub.httpUrl);
  const token = signToken(secret, name, 3_600, { kind: 'person', role });
  await person.page.getByLabel('Access token').fill(token);
  await person.page.getByRole('button', { name: 'Sign in' }).click();
  await person.page.locator('.workspace').waitFor();
  return person;
}

type Reader = Awaited<ReturnType<typeof personOf>>;

async function channelOf(channelId: string, members: readonly string[]) {
  const agent = agentOf('helper');
  await agent.call('channel.create', { channelId, name: channelId });
  const room = agent.channel(channelId);
  await room.subscribe();
  for (const member of members) await room.addMember(member);
  return { agent, room };
}

async function violations({ page }: Reader): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<unknown> } }).axe.run(),
  );
  return (results as AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

async function overflow({ page }: Reader): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

async function shoot({ page }: Reader, name: string) {
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png` });
}

const options = [
  { id: 'yes', label: 'Deploy' },
  { id: 'no', label: 'Wait' },
];

describe('a question', () => {
  it('is one card in which each responder answers, and shows its votes and its end', async () => {
    const { agent, room } = await channelOf('asked', ['ada', 'bob', 'eve']);
    try {
      const [ada, bob] = [await personOf('ada'), await personOf('bob')];
      await ada.open('asked');
      const { questionId } = await room.question('Deploy 1.4.1?', options, {
        ...{ responders: ['ada', 'bob'], quorum: 2, expiresMs: 600_000 },
      });
      // Ada's page was open, so it receives the question as an event. Bob's page opens later and loads the question.
      await bob.open('asked');
      const [seen, other] = [ada, bob].map(({ page }) => page.locator('.question')) as [
        ReturnType<typeof ada.page.locator>,
        ReturnType<typeof bob.page.locator>,
      ];
      await seen.getByText('ada, bob may answer · 2 equal answers end it').waitFor();
      await seen.getByRole('button', { name: 'Wait' }).click();
      await other.getByText('1 vote: ada').waitFor();
      await seen.getByRole('button', { name: 'Deploy' }).focus();
      await ada.page.keyboard.press('Enter');
      await other.locator('li', { hasText: 'Deploy' }).getByText('1 vote: ada').waitFor();
      expect(await violations(ada)).toEqual([]);
      await shoot(ada, 'question-open');
      await other.getByRole('button', { name: 'Deploy' }).click();
      for (const card of [seen, other]) {
        await card.getByText('Answered', { exact: true }).waitFor();
        await card.locator('.question-winner').getByText('2 votes: ada, bob').waitFor();
        expect(await card.count()).toBe(1);
        expect(await card.getByRole('button').count()).toBe(0);
      }
      const { questions } = await agent.questions({ channelId: 'asked' });
      expect(questions).toMatchObject([{ questionId, state: 'answered', optionId: 'yes' }]);
      expect(await ada.page.locator('.collaboration').count()).toBe(0);

      const eve = await personOf('eve', { width: 320, height: 700, colorScheme: 'dark' });
      const phone = eve.page.locator('.question');
      await room.question('A short text, please', [], { responders: ['ada'] });
      await eve.open('asked');
      await phone.getByText('2 votes: ada, bob').waitFor();
      await phone.getByText('Open', { exact: true }).waitFor();
      expect(await phone.getByRole('button').count()).toBe(0);
      expect(await overflow(eve)).toBe(0);
      expect(await violations(eve)).toEqual([]);
      await shoot(eve, 'question-phone');
      await seen.getByLabel('Answer: A short text, please').fill('<b>so</b>');
      await seen.getByRole('button', { name: 'Answer' }).click();
      await phone.getByText('<b>so</b>').waitFor();
      for (const { pageErrors } of [ada, bob, eve]) expect(pageErrors).toEqual([]);
    } finally {
      await agent.close();
    }
  });

  it('is refused to those who come late, is cancelled by an owner, and expires', async () => {
    const { agent, room } = await channelOf('ended', ['ada', 'bob']);
    try {
      await room.updateMember('bob', { role: 'owner' });
      const [ada, bob] = [await personOf('ada'), await personOf('bob')];
      await room.question('Who is first?', options);
      for (const person of [ada, bob]) await person.open('ended');
      const card = (person: Reader, title: string) =>
        person.page.locator('.question', { hasText: title });
      await card(bob, 'Who is first?').getByRole('button', { name: 'Wait' }).click();
      await card(ada, 'Who is first?').getByText('Answered', { exact: true }).waitFor();
      await room.question('To be cancelled?', options);
      expect(await card(ada, 'cancelled?').getByText('Cancel the question').count()).toBe(0);
      await card(bob, 'cancelled?').getByText('Cancel the question').click();
      await card(ada, 'cancelled?').getByText('Cancelled', { exact: true }).waitFor();
      await room.question('Soon over?', options, { expiresMs: 1_000 });
      await card(ada, 'Soon over?').getByText('Expired without an answer').waitFor();
      expect(await card(ada, 'Soon over?').getByRole('button').count()).toBe(0);
      expect(ada.pageErrors).toEqual([]);
    } finally {
      await agent.close();
    }
  });
});

describe('an ask', () => {
  it('shows each addressee with its state, and lets an addressee answer for itself', async () => {
    const { agent, room } = await channelOf('asks', ['ada', 'bob', 'other']);
    const other = agentOf('other');
    try {
      const [ada, bob] = [await personOf('ada'), await personOf('bob')];
      const { askId } = await room.ask(['ada', 'other'], 'Please roll back', 600_000);
      await other.acceptAsk(askId, 'on it');
      for (const person of [ada, bob]) await person.open('asks');
      const ask = (person: Reader) => person.message('Please roll back').locator('.ask');
      const stateOf = (person: Reader, agentId: string) =>
        ask(person).locator('li', { hasText: agentId });
      await stateOf(bob, 'other').getByText('accepted').waitFor();
      await stateOf(bob, 'other').getByText('on it').waitFor();
      await stateOf(bob, 'ada').getByText('no answer yet').waitFor();
      expect(await ask(bob).getByRole('button').count()).toBe(0);
      await ask(ada).getByLabel('Note').fill('tonight');
      await ask(ada).getByRole('button', { name: 'Accept' }).click();
      await stateOf(bob, 'ada').getByText('accepted').waitFor();
      await stateOf(bob, 'ada').getByText('tonight').waitFor();
      expect(await violations(ada)).toEqual([]);
      await shoot(ada, 'ask');
      await ask(ada).getByRole('button', { name: 'Done' }).click();
      await stateOf(bob, 'ada').getByText('done').waitFor();
      await ask(ada).getByRole('button').first().waitFor({ state: 'detached' });
      await room.ask(['ada'], 'Answer at once', 1_000);
      await bob.message('Answer at once').getByText('no answer in time').waitFor();
      await ada.message('Answer at once').getByText('no answer in time').waitFor();
      expect(await ada.message('Answer at once').locator('.ask button').count()).toBe(0);
      for (const { pageErrors } of [ada, bob]) expect(pageErrors).toEqual([]);
    } finally {
      await Promise.all([agent.close(), other.close()]);
    }
  });
});

describe('the turns of agents', () => {
  it('are limited by a person in a channel and in a thread, and their end is told', async () => {
    const { agent, room } = await channelOf('turns', ['ada']);
    try {
      const ada = await personOf('ada', { width: 320, height: 720, isTouch: true });
      const { page } = ada;
      await ada.open('turns');
      const dialog = page.getByRole('dialog');
      const set = async (label: string, figure: string) => {
        await dialog.getByText(/^Used since a person wrote/).waitFor();
        await dialog.getByLabel(label).fill(figure);
        expect(await violations(ada)).toEqual([]);
        expect(await overflow(ada)).toBe(0);
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.waitFor({ state: 'detached' });
      };
      const open = async () => {
        await page.getByRole('button', { name: 'More' }).click();
        await page.getByRole('button', { name: 'Turns of agents…' }).click();
      };
      await open();
      await shoot(ada, 'budget');
      await set('Messages in a row', '2');
      await page.getByText('limits agents here: 2 messages in a row').waitFor();
      const { messageId } = await room.send('one');
      await room.send('two');
      await page.getByText('Agents have used their 2 turns here').waitFor();
      await expect(room.send('three')).rejects.toMatchObject({ code: 'paused' });
      await open();
      await dialog.getByText('Used since a person wrote: 2 of 2. Agents are paused').waitFor();
      await set('Messages a minute', '');
      await ada.write('go on');
      await waitFor(() =>
        room.send('three').then(
          () => true,
          () => false,
        ),
      );
      await page.evaluate((id) => (location.hash = `#/channel/turns/thread/${id}`), messageId);
      await page.getByRole('button', { name: 'Turns of agents in this thread' }).click();
      await set('Messages in a row', '1');
      expect(await room.budget(messageId)).toMatchObject({ agentTurns: 1, used: 0 });
      expect(ada.pageErrors).toEqual([]);
    } finally {
      await agent.close();
    }
  });
});

describe('the inbox of an agent', () => {
  it('is read by an admin on its page, and nothing in it is acknowledged', async () => {
    const { agent, room } = await channelOf('box', ['ada', 'worker']);
    const worker = agentOf('worker');
    try {
      await worker.ready();
      await room.send('look @worker', { mentions: ['worker'] });
      const ada = await personOf('ada', { role: 'admin' });
      const { page } = ada;
      await ada.open('box');
      await room.ask(['worker'], 'Please build', 600_000);
      await ada.message('Please build').waitFor();
      await page.evaluate(() => (location.hash = '#/fleet'));
      const tile = page.locator('.fleet-tile[href="#/agent/helper"]');
      await tile.getByText('waits for worker').waitFor();
      await shoot(ada, 'fleet-waits');
      await page.evaluate(() => (location.hash = '#/agent/worker'));
      const inbox = page.locator('.agent-inbox');
      await inbox.getByRole('button', { name: 'Read its inbox' }).click();
      await inbox.getByText('helper: look @worker').waitFor();
      await inbox.locator('article', { hasText: 'Asked' }).getByText('Please build').waitFor();
      expect(await violations(ada)).toEqual([]);
      await shoot(ada, 'inbox');
      const { items } = await worker.call('inbox.read', {});
      expect(items.map(({ reason }) => reason)).toEqual(['mention', 'ask']);
      expect(ada.pageErrors).toEqual([]);
    } finally {
      await Promise.all([agent.close(), worker.close()]);
    }
  });
});

describe('a message that grows', () => {
  it('is shown while it is written, for who was there and who comes later, and says how it ended', async () => {
    const { agent, room } = await channelOf('grows', ['ada', 'bob']);
    try {
      const ada = await personOf('ada');
      await ada.open('grows');
      for (let n = 0; n < 30; n += 1) await room.send(`earlier ${n}`);
      const stream = await room.stream();
      stream.append('Three **tests**');
      await ada.message('Three tests').getByLabel('still writing').waitFor();
      const bob = await personOf('bob', { colorScheme: 'dark' });
      await bob.open('grows');
      await bob.message('Three tests').getByLabel('still writing').waitFor();
      await room.setTurn({ state: 'tool', label: 'Runs the tests', queueDepth: 2 });
      for (let n = 0; n < 40; n += 1) stream.append(`\n\npart ${n}`);
      for (const person of [ada, bob]) {
        await person.page.getByText('helper is using a tool: Runs the tests').waitFor();
        await person.message('Three tests').getByText('part 39').waitFor();
      }
      const view = await ada.page.locator('.conversation .scroller').boundingBox();
      const last = ada.message('Three tests').getByText('part 39');
      await shoot(ada, 'stream-end');
      await waitFor(async () => {
        const box = await last.boundingBox();
        return box !== null && view !== null && box.y + box.height <= view.y + view.height;
      });
      expect(await violations(bob)).toEqual([]);
      await shoot(bob, 'stream');
      await stream.finish({ state: 'stopped' });
      await room.setTurn({ state: 'idle' });
      for (const person of [ada, bob]) {
        await person.message('Three tests').getByText('(stopped)').waitFor();
        await person.page.getByLabel('still writing').waitFor({ state: 'detached' });
        await person.page.locator('.turn-line').waitFor({ state: 'detached' });
        expect(person.pageErrors).toEqual([]);
      }
    } finally {
      await agent.close();
    }
  });
});

describe('a freeze', () => {
  it('of a channel and of all agents has a reason, a banner for everyone, and is lifted', async () => {
    const { agent, room } = await channelOf('frozen', ['ada', 'bob']);
    const codeOf = () =>
      room.send('still here').then(
        () => 'ok',
        ({ code }: { code: string }) => code,
      );
    try {
      await room.updateMember('bob', { role: 'owner' });
      const [ada, bob] = [await personOf('ada', { role: 'admin' }), await personOf('bob')];
      for (const person of [ada, bob]) await person.open('frozen');
      const freeze = async ({ page }: Reader, reason: string) => {
        const dialog = page.getByRole('dialog');
        expect(await dialog.getByRole('button', { name: 'Freeze' }).isDisabled()).toBe(true);
        await dialog.getByLabel('Reason').fill(reason);
        await page.keyboard.press('Enter');
        await dialog.waitFor({ state: 'detached' });
      };
      const banner = (person: Reader, text: string) =>
        person.page.locator('.freeze-banner', { hasText: text });

      await bob.page.getByRole('button', { name: 'More' }).click();
      await bob.page.getByRole('button', { name: 'Freeze its agents…' }).click();
      expect(await violations(bob)).toEqual([]);
      await freeze(bob, 'they loop');
      await banner(ada, 'Agents are frozen here by bob').getByText('they loop').waitFor();
      await ada.page.locator('.system-event', { hasText: 'froze this channel' }).waitFor();
      expect(await codeOf()).toBe('frozen');
      expect(await violations(ada)).toEqual([]);
      await shoot(ada, 'freeze-channel');

      await ada.page.getByRole('link', { name: 'Fleet' }).click();
      await ada.page.getByRole('button', { name: 'Freeze all agents…' }).click();
      await freeze(ada, 'an incident');
      const hub = banner(bob, 'All agents are frozen by ada');
      await hub.getByText('an incident').waitFor();
      expect(await hub.getByRole('button').count()).toBe(0);
      expect(await violations(ada)).toEqual([]);

      await banner(bob, 'here').getByRole('button', { name: 'Lift the freeze' }).click();
      await banner(bob, 'here').waitFor({ state: 'detached' });
      expect(await codeOf()).toBe('frozen');
      await banner(ada, 'All agents').getByRole('button', { name: 'Lift the freeze' }).click();
      await hub.waitFor({ state: 'detached' });
      await waitFor(async () => (await codeOf()) === 'ok', { what: 'the agent to write again' });
      for (const { pageErrors } of [ada, bob]) expect(pageErrors).toEqual([]);
    } finally {
      await agent.close();
    }
  });
});
