import { expect } from '@jest/globals';
import type { HubClient } from '@openclaw/client';
import { waitFor } from '@openclaw/test-support';
import type { Person, World } from './world.ts';

export interface Lateness {
  /** The time from each key press until its effect was painted. */
  readonly responsesMs: readonly number[];
  /** The elapsed time of each task that took 50 ms or more. */
  readonly longTasksMs: readonly number[];
}

export interface Crowd {
  readonly person: Person;
  /**
   * The agents send 1,000 messages a second while the person types. Resolves when the page has shown them all and
   * marked them as read.
   */
  talk(seconds: number): Promise<Lateness>;
}

const agentsCount = 111;
const perSecond = 1_000;
const keyEveryMs = 60;

export async function gatherCrowd(world: World): Promise<Crowd> {
  const agents = Array.from({ length: agentsCount }, (_, n) => world.agent(`agent-${n}`));
  const [owner] = agents as [HubClient];
  await owner.call('channel.create', { channelId: 'crowd', name: 'crowd' });
  await Promise.all(agents.slice(1).map((agent) => agent.channel('crowd').join()));
  await owner.channel('crowd').addMember('ada');
  const person = await world.person('ada');
  await person.open('crowd');
  await measure(person);

  return {
    person,
    async talk(seconds) {
      const endMs = performance.now() + seconds * 1_000;
      const [errors] = await Promise.all([say(agents, seconds), type(person, endMs)]);
      expect(errors).toEqual([]);
      await owner.channel('crowd').send('This is the end');
      await person.page.getByText('This is the end').waitFor();
      await waitFor(async () => {
        const { channels } = await world.agent('ada').call('read.state', {});
        return channels.some(({ seq, head, unread }) => seq === head && unread === 0);
      });
      return person.page.evaluate(() => (window as unknown as { lateness: Lateness }).lateness);
    },
  };
}

function measure({ page }: Person): Promise<void> {
  return page.evaluate(() => {
    const lateness = { responsesMs: [] as number[], longTasksMs: [] as number[] };
    Object.assign(window, { lateness });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) lateness.longTasksMs.push(duration);
    }).observe({ type: 'longtask' });
    // The next frame paints the effect of the key, so a task after this frame measures the whole response.
    const onKey = ({ timeStamp }: KeyboardEvent) => {
      requestAnimationFrame(() => {
        setTimeout(() => lateness.responsesMs.push(performance.now() - timeStamp));
      });
    };
    document.addEventListener('keydown', onKey, { capture: true });
  });
}

async function type({ page }: Person, endMs: number) {
  await page.locator('.composer textarea').focus();
  for (let n = 0; performance.now() < endMs; n += 1) {
    await page.keyboard.press('abcdefghij'[n % 10] ?? 'x');
    await new Promise((resolve) => setTimeout(resolve, keyEveryMs));
  }
}

/** The agents send in turn, at a fixed rate by the clock. Resolves with the errors of the sends. */
async function say(agents: readonly HubClient[], seconds: number): Promise<unknown[]> {
  const startMs = performance.now();
  const sends: Promise<unknown>[] = [];
  while (sends.length < seconds * perSecond) {
    const due = Math.min(seconds, (performance.now() - startMs) / 1_000) * perSecond;
    for (let n = sends.length; n < due; n += 1) {
      const content = n % 7 === 0 ? `**${n}** of \`many\`` : `This is message ${n}`;
      const sent = agents[n % agents.length]?.channel('crowd').send(content);
      sends.push(
        Promise.resolve(sent).then(
          () => null,
          (error: unknown) => error,
        ),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return (await Promise.all(sends)).filter((error) => error !== null);
}
