import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import {
  signToken,
  startHub,
  startRedis,
  startTcpProxy,
  waitFor,
  type HubProcess,
  type RedisServer,
  type TcpProxy,
} from '@openclaw/test-support';
import { createBench, type Bench } from './bench.test.support.ts';

export interface Environment {
  /** The origin of the page; null in Node. */
  readonly origin: string | null;
  /** The name by which the environment reaches this machine. */
  readonly hostname: string;
  /** The script may run in a browser, so it can use only its parameters. */
  run<G, R>(script: (bench: Bench, given: G) => R | Promise<R>, given: G): Promise<R>;
  stop(): Promise<void>;
}

const secret = 'a-secret-for-tests-of-more-than-32-characters';

const token = (agentId: string, lifeSeconds?: number) => signToken(secret, agentId, lifeSeconds);

jest.setTimeout(90_000);

/** Runs against a real hub, over links that are cut. */
export function clientContract(name: string, startEnvironment: () => Promise<Environment>): void {
  describe(`A client ${name}`, () => {
    let environment: Environment;
    let redis: RedisServer;
    let hub: HubProcess;
    let link: TcpProxy;
    let rooms = 0;
    /** The parameters of a script: the link's address, and a channel and agents of this test alone. */
    let given: {
      url: string;
      channelId: string;
      ana: string;
      ben: string;
      anaToken: string;
      benToken: string;
    };
    const watch = createBench();

    beforeAll(async () => {
      environment = await startEnvironment();
      redis = await startRedis();
      hub = await startHub({
        env: {
          REDIS_URL: redis.url,
          HUB_LIMIT_MESSAGE: '1000000/60',
          HUB_AUTH: 'jwt',
          HUB_JWT_SECRET: secret,
          ...(environment.origin !== null && { HUB_ALLOWED_ORIGINS: environment.origin }),
        },
      });
      link = await startTcpProxy(hub.port);
    }, 60_000);
    beforeEach(() => {
      rooms += 1;
      const [ana, ben] = [`ana${rooms}`, `ben${rooms}`];
      given = {
        url: `ws://${environment.hostname}:${link.port}`,
        channelId: `room${rooms}`,
        ana,
        ben,
        anaToken: token(ana),
        benToken: token(ben),
      };
    });
    afterEach(async () => {
      link.resume();
      await environment.run((bench) => bench.clear(), null);
      await watch.clear();
    });
    afterAll(async () => {
      await link?.stop();
      await hub?.stop();
      await redis?.stop();
      await environment?.stop();
    });

    async function connectBoth() {
      await environment.run(async (bench, { url, channelId, anaToken, benToken }) => {
        const ana = bench.connect('ana', url, [anaToken]).client;
        const ben = bench.connect('ben', url, [benToken]).client;
        await ana.createChannel({ channelId, name: 'Room' });
        await ben.channel(channelId).join();
        await ben.channel(channelId).subscribe({ since: 0 });
      }, given);
    }

    const receivedCount = () =>
      environment.run(
        (bench) => bench.subscriber('ben').events.filter(({ seq }) => seq !== null).length,
        null,
      );

    async function storedContents(): Promise<string[]> {
      const observer = watch.connect('ana', hub.url, [given.anaToken]).client;
      const { head } = (await observer.channel(given.channelId).get()).channel;
      const contents: string[] = [];
      for (let after = 0; after < head;) {
        const { events } = await observer.channel(given.channelId).log({ after });
        for (const { event } of events)
          if (event.type === 'channel.message') contents.push(event.message.content);
        after = events.at(-1)?.seq ?? head;
      }
      await watch.clear();
      return contents;
    }

    it('delivers messages, edits, replies, mentions, reactions and deletes to listeners of their type', async () => {
      await connectBoth();
      const heard = await environment.run(async (bench, { channelId, ana, ben }) => {
        const [room, ears] = [
          bench.subscriber('ana').client.channel(channelId),
          bench.subscriber('ben').client.channel(channelId),
        ];
        const lines: string[] = [];
        ears.on('channel.message', ({ message }) =>
          lines.push(`${message.senderId === ana} ${message.content} ${message.mentions.join()}`),
        );
        ears.on('channel.message.edit', ({ message }) => lines.push(`edit ${message.content}`));
        ears.on('thread.message', ({ message }) => lines.push(`reply ${message.content}`));
        ears.on('channel.reaction.add', ({ emoji, agentId }) =>
          lines.push(`${emoji} ${agentId === ben}`),
        );
        ears.on('channel.message.delete', () => lines.push('delete'));
        ears.on('collaboration.event', (event) => lines.push(event.name));
        const { messageId } = await room.send('Hello', { mentions: [ben] });
        await room.edit(messageId, 'Hello, you');
        await ears.react(messageId, '👍');
        await ears.reply({ id: messageId, threadId: null }, 'Yes?');
        await room.emit('turn', { step: 1 });
        await room.delete(messageId);
        await bench.until(() => lines.includes('delete'), 'the delete');
        return lines.map((line) => line.replace(ben, 'ben'));
      }, given);
      expect(heard).toEqual([
        'true Hello ben',
        'edit Hello, you',
        '👍 true',
        'reply Yes?',
        'turn',
        'delete',
      ]);
    });

    it('delivers typing and presence, and their end', async () => {
      await connectBoth();
      const heard = await environment.run(async (bench, { channelId, ana }) => {
        const { client } = bench.subscriber('ana');
        const ears = bench.subscriber('ben').client.channel(channelId);
        const lines: string[] = [];
        const has = (line: string) => bench.until(() => lines.includes(line), line);
        ears.on('channel.typing', ({ agentId, typing }) => {
          if (agentId === ana) lines.push(`typing ${typing}`);
        });
        ears.on('channel.presence', ({ presences }) => {
          for (const { agentId, status } of presences) if (agentId === ana) lines.push(status);
        });
        await client.channel(channelId).subscribe();
        await has('online');
        await client.channel(channelId).startTyping();
        await has('typing true');
        await client.channel(channelId).send('There');
        await has('typing false');
        await client.setPresence({ status: 'dnd' });
        await has('dnd');
        await client.close();
        await has('offline');
        return lines;
      }, given);
      expect(heard).toEqual(['online', 'typing true', 'typing false', 'dnd', 'offline']);
    });

    it('exchanges direct messages, and counts the unread ones', async () => {
      await connectBoth();
      const seen = await environment.run(async (bench, { ana, ben }) => {
        const toBen = bench.subscriber('ana').client.direct(ben);
        const toAna = bench.subscriber('ben').client.direct(ana);
        const before = await toAna.history();
        const stream = toAna.events();
        const { channelId } = await toBen.send('psst');
        await toBen.send('are you there?');
        const contents: string[] = [];
        for await (const { event } of stream) {
          if (event.type !== 'channel.message') continue;
          contents.push(event.message.content);
          if (contents.length === 2) break;
        }
        const room = await toAna.channel();
        const unread = async () =>
          (await bench.subscriber('ben').client.readState()).channels.find(
            (state) => state.channelId === channelId,
          )?.unread;
        const unreadBefore = await unread();
        await room.markRead(2);
        const { messages } = await toBen.history({ limit: 1 });
        return {
          before: before.messages.length,
          contents,
          isSame: room.id === channelId,
          unread: [unreadBefore, await unread()],
          last: messages[0]?.content,
        };
      }, given);
      expect(seen).toEqual({
        before: 0,
        contents: ['psst', 'are you there?'],
        isSame: true,
        unread: [2, 0],
        last: 'are you there?',
      });
    });

    it('delivers every event once and in order while its link is cut again and again', async () => {
      await connectBoth();
      await environment.run(async (bench, { channelId }) => {
        const { client } = bench.subscriber('ana');
        const talk = { isOver: false, sent: [] as Promise<{ seq: number }>[] };
        Object.assign(bench, { talk });
        const timer = setInterval(() => {
          if (talk.isOver) return clearInterval(timer);
          talk.sent.push(client.channel(channelId).send(`message ${talk.sent.length}`));
        }, 5);
      }, given);
      for (let cuts = 0; cuts < 4; cuts += 1) {
        const before = await receivedCount();
        await waitFor(async () => (await receivedCount()) > before + 15, { timeoutMs: 20_000 });
        link.cut();
      }
      const seen = await environment.run(async (bench, { channelId }) => {
        const { talk } = bench as typeof bench & {
          talk: { isOver: boolean; sent: Promise<{ seq: number }>[] };
        };
        talk.isOver = true;
        const seqs = (await Promise.all(talk.sent)).map(({ seq }) => seq);
        const { head } = (await bench.subscriber('ana').client.channel(channelId).get()).channel;
        const { events, discontinuities, states } = bench.subscriber('ben');
        await bench.until(() => events.some(({ seq }) => seq === head), 'the last event');
        const contents = events.flatMap(({ event }) =>
          event.type === 'channel.message' ? [event.message.content] : [],
        );
        return {
          head,
          sent: seqs.length,
          different: new Set(seqs).size,
          contents,
          discontinuities,
          received: events.flatMap(({ seq }) => (seq === null ? [] : [seq])),
          losses: states.filter((state) => state === 'reconnecting').length,
        };
      }, given);
      expect(seen.different).toBe(seen.sent);
      expect(seen.contents).toHaveLength(seen.sent);
      expect(new Set(seen.contents).size).toBe(seen.sent);
      expect(seen.received).toEqual(Array.from({ length: seen.head }, (_, i) => i + 1));
      expect(seen.discontinuities).toEqual([]);
      expect(seen.losses).toBeGreaterThanOrEqual(4);
    });

    it('stores a send once and answers it, even if the first answer was lost', async () => {
      await connectBoth();
      link.stallReplies();
      await environment.run(async (bench, { channelId }) => {
        const room = bench.subscriber('ana').client.channel(channelId);
        const results = Promise.all(['one', 'two', 'three'].map((content) => room.send(content)));
        Object.assign(bench, { results });
      }, given);
      await waitFor(async () => (await storedContents()).length === 3);
      link.cut();
      link.resume();
      const duplicates = await environment.run(async (bench) => {
        const { results } = bench as typeof bench & {
          results: Promise<{ duplicate: boolean }[]>;
        };
        return (await results).map(({ duplicate }) => duplicate);
      }, null);
      expect(duplicates).toEqual([true, true, true]);
      expect(await storedContents()).toEqual(['one', 'two', 'three']);
    });

    it('keeps sends in order while there is no link, and reports the lost connection', async () => {
      await connectBoth();
      link.stall();
      link.cut();
      const said = await environment.run(async (bench, { channelId }) => {
        const { client, states } = bench.subscriber('ana');
        await bench.until(() => states.includes('reconnecting'), 'the loss');
        const room = client.channel(channelId);
        Object.assign(bench, {
          results: Promise.all(['one', 'two'].map((text) => room.send(text))),
        });
        const typing = await room.startTyping().then(
          () => 'sent',
          (error: { code: string }) => error.code,
        );
        return { typing, state: client.state };
      }, given);
      expect(said).toEqual({ typing: 'disconnected', state: 'reconnecting' });
      link.resume();
      await environment.run(async (bench) => {
        await (bench as typeof bench & { results: Promise<unknown> }).results;
      }, null);
      expect(await storedContents()).toEqual(['one', 'two']);
    });

    it('continues after a hub was killed and restarted', async () => {
      await connectBoth();
      await environment.run(async (bench, { channelId }) => {
        await bench.subscriber('ana').client.channel(channelId).send('before');
      }, given);
      await hub.kill();
      await hub.restart();
      const seen = await environment.run(async (bench, { channelId }) => {
        await bench.subscriber('ana').client.channel(channelId).send('after');
        const { events, discontinuities } = bench.subscriber('ben');
        const contents = () =>
          events.flatMap(({ event }) =>
            event.type === 'channel.message' ? [event.message.content] : [],
          );
        await bench.until(() => contents().includes('after'), 'the message');
        return { contents: contents(), discontinuities };
      }, given);
      expect(seen).toEqual({ contents: ['before', 'after'], discontinuities: [] });
    });

    it('gets a new token when the old one expires, and misses no event', async () => {
      await connectBoth();
      const tokens = [token(given.ben, 2), token(given.ben)];
      const seen = await environment.run(
        async (bench, { url, channelId, all }) => {
          const again = bench.connect('again', url, all);
          await again.client.channel(channelId).subscribe({ since: 0 });
          await bench.until(
            () => again.tokens === 2 && again.client.state === 'live',
            'the renewal',
          );
          const { seq } = await bench
            .subscriber('ana')
            .client.channel(channelId)
            .send('Still here?');
          await bench.until(() => again.events.some((event) => event.seq === seq), 'the message');
          return { states: again.states, seqs: again.events.map((event) => event.seq) };
        },
        { ...given, all: tokens },
      );
      expect(seen.states).toEqual(['live', 'reconnecting', 'live']);
      expect(seen.seqs.filter((seq) => seq !== null)).toEqual([1, 2, 3]);
    });

    it('ends its streams and calls when it is closed, and is offline for the others', async () => {
      await connectBoth();
      const seen = await environment.run(async (bench, { channelId, ben }) => {
        const ana = bench.subscriber('ana').client;
        let isOffline = false;
        ana.channel(channelId).on('channel.presence', ({ presences }) => {
          isOffline ||= presences.some(
            ({ agentId, status }) => agentId === ben && status === 'offline',
          );
        });
        await ana.channel(channelId).subscribe();
        const { client } = bench.subscriber('ben');
        const codeOf = (promise: Promise<unknown>) =>
          promise.then(
            () => 'none',
            (error: { code: string }) => error.code,
          );
        const ends = [
          codeOf(client.channel(channelId).events().next()),
          codeOf(client.direct('nobody').events().next()),
        ];
        await client.close();
        ends.push(codeOf(client.readState()), codeOf(client.ready()));
        await bench.until(() => isOffline, 'offline');
        return { state: client.state, codes: await Promise.all(ends) };
      }, given);
      expect(seen).toEqual({ state: 'closed', codes: ['closed', 'closed', 'closed', 'closed'] });
    });
  });
}
