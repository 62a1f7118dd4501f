import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  startHubPair,
  startPostgres,
  startProcess,
  startRedis,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import { createClient, type HubClient } from './index.ts';

const folder = resolve(import.meta.dirname, '..');
const source = readFileSync(resolve(folder, 'examples/agent.ts'), 'utf8');
const careless = source
  .replace(/const claim = .*/, 'const claim = { fence: null };')
  .replace(/const once = .*/, 'const once = {};');

const endings: (() => unknown)[] = [];
afterAll(async () => {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}, 60_000);

/** Like a supervisor, starts the agent again whenever the agent ends. */
function run(code: string, hub: HubProcess, agent: string) {
  const flags = ['--conditions=@openclaw/source', '--input-type=module-typescript', '--eval', code];
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const start = () =>
    startProcess(process.execPath, [...flags, 'agent.ts', hub.url, agent], {
      cwd: folder,
      env: { PATH, NODE_COMPILE_CACHE },
    });
  let isStopped = false;
  let running = start();
  // The example exits when the database does not answer in time, as on a busy machine.
  const supervising = (async () => {
    for (; !isStopped; running = start()) {
      await running.exited;
      if (isStopped) return;
    }
  })();
  const stop = async () => {
    isStopped = true;
    await running.stop('SIGKILL');
    await supervising;
  };
  endings.push(stop);
  return { output: () => running.output(), stop };
}

async function asksOf(person: HubClient, channelId: string, agents: readonly string[]) {
  const channel = person.channel(channelId);
  const words = 'one two three four five six seven eight nine ten eleven twelve';
  const topic = (await channel.send('a topic')).messageId;
  const asks: { askId: string; threadId: string; answer: string }[] = [];
  for (let n = 0; n < 5; n += 1) {
    // The last ask is a reply, so its answer goes to the same thread.
    const place = n === 4 ? { threadId: topic } : {};
    const { askId } = await channel.ask(agents, `${n} ${words}`, 300_000, place);
    asks.push({ askId, threadId: askId, answer: `You asked: ${n} ${words}`, ...place });
  }
  return asks;
}

async function answersTo(person: HubClient, channelId: string, threadId: string) {
  const { messages } = await person.channel(channelId).history({ threadId });
  return messages
    .filter(({ senderId }) => senderId !== person.welcome?.agentId)
    .map(({ senderId, content, state }) => `${senderId} ${state}: ${content}`);
}

async function endsOf(person: HubClient, channelId: string): Promise<string[]> {
  const { asks } = await person.asks({ role: 'from', channelId, limit: 50 });
  return asks.map(({ addressees }) =>
    addressees
      .map(({ state }) => state)
      .toSorted()
      .join(),
  );
}

describe.each(['SQLite', 'PostgreSQL'])('agents on two hubs and %s', (engine) => {
  const agents = ['ada', 'ben'];

  async function start() {
    const redis = await startRedis();
    endings.push(() => redis.stop());
    const postgres = engine === 'PostgreSQL' ? await startPostgres() : null;
    endings.push(() => postgres?.stop());
    const pair = await startHubPair({
      REDIS_URL: redis.url,
      ...(postgres && { HUB_DB_URL: postgres.url }),
    });
    endings.push(() => pair.stop());
    const zoe = createClient({ url: pair.hubs[1].url, agent: 'zoe' });
    endings.push(() => zoe.close());
    return { hubs: pair.hubs, zoe };
  }
  const system = start();

  async function openChannel(channelId: string, person: HubClient) {
    await person.createChannel({ channelId, name: channelId });
    for (const agent of agents) await person.channel(channelId).addMember(agent);
  }

  /** Kills an agent and its hub while the agent writes its first answer. */
  async function killInTheMiddle(code: string, channelId: string) {
    const { hubs, zoe } = await system;
    await openChannel(channelId, zoe);
    const asks = await asksOf(zoe, channelId, agents);
    const ada = run(code, hubs[0], 'ada');
    const ben = run(code, hubs[1], 'ben');
    const answers = async () => {
      const all = await Promise.all(
        asks.map(({ threadId }) => answersTo(zoe, channelId, threadId)),
      );
      return all.flat();
    };
    const killed = await waitFor(
      async () => (await answers()).find((it) => /^ada streaming/.test(it)),
      { what: 'the first answer of ada', timeoutMs: 60_000 },
    );
    await Promise.all([ada.stop(), hubs[0].kill()]);
    expect(await answers()).toContainEqual(expect.stringMatching(/^ada streaming/));
    await hubs[0].restart();
    const again = run(code, hubs[0], 'ada');
    const output = () => `${ada.output()}${ben.output()}${again.output()}`;
    return { hubs, zoe, asks, killed, output, stop: () => Promise.all([ben.stop(), again.stop()]) };
  }

  it('answer each ask once, over kill -9 of an agent and of its hub', async () => {
    const { hubs, zoe, asks, output, stop } = await killInTheMiddle(source, 'work');
    await waitFor(async () => (await endsOf(zoe, 'work')).every((end) => end === 'declined,done'), {
      what: 'every ask done by one and declined by the other',
      timeoutMs: 90_000,
      everyMs: 100,
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${(await endsOf(zoe, 'work')).join()} ${output()}`);
    });
    for (const { threadId, answer } of asks)
      expect(await answersTo(zoe, 'work', threadId)).toEqual([
        expect.stringMatching(new RegExp(`^(ada|ben) complete: ${answer}$`)),
      ]);
    const { rows } = await zoe.ledger({ by: 'channel', channelId: 'work' });
    expect(rows).toMatchObject([{ tokensOut: 9 * asks.length }]);
    for (const agent of agents) {
      const client = createClient({ url: hubs[1].url, agent });
      const items = async () => (await client.call('inbox.read', {})).items;
      await waitFor(async () => (await items()).every(({ reason }) => reason !== 'ask'), {
        what: 'an empty inbox',
      });
      await client.close();
    }
    await stop();
  }, 180_000);

  // Negative control: without claims and ids, agents answer twice, as fleets report.
  it('answer twice without claim, basedOn and clientMessageId', async () => {
    const { zoe, asks, stop } = await killInTheMiddle(careless, 'careless');
    await waitFor(async () => (await endsOf(zoe, 'careless')).every((end) => end === 'done,done'), {
      what: 'every ask done by both',
      timeoutMs: 90_000,
      everyMs: 100,
    });
    const answers = await Promise.all(
      asks.map(({ threadId }) => answersTo(zoe, 'careless', threadId)),
    );
    // Both agents answer each ask, and the killed agent began one answer twice.
    expect(answers.flat().length).toBeGreaterThan(2 * asks.length);
    await stop();
  }, 180_000);
});

describe('the agent of the README', () => {
  it('has at most 30 lines, and stands in the README as it is run here', () => {
    expect(source.split('\n').filter(Boolean).length).toBeLessThanOrEqual(30);
    expect(readFileSync(resolve(folder, 'README.md'), 'utf8')).toContain(
      `\`\`\`ts\n${source}\`\`\``,
    );
    for (const line of ['const claim = ', 'const once = ']) expect(source).toContain(line);
  });
});
