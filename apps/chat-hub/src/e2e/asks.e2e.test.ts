import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  hubMetric,
  startHubPair,
  startPostgres,
  startRedis,
  usesRedis,
  waitFor,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';

type Pair = Awaited<ReturnType<typeof startHubPair>>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into payloads freely
type Any = any;
type Redis = Awaited<ReturnType<typeof startRedis>>;

// The reported failure: a message mentions an agent that is not connected, or whose name is
// misspelt. The sender gets no error and waits forever.
describe.each(['SQLite', 'PostgreSQL'] as const)(
  'asks and questions over two hubs on %s',
  (engine) => {
    const suite = suiteScope();
    let redis: Redis;
    let hubs: Pair['hubs'];
    beforeAll(async () => {
      redis = await suite.use(startRedis());
      const postgres = engine === 'PostgreSQL' ? await suite.use(startPostgres()) : null;
      const pair = await startHubPair({
        REDIS_URL: redis.url,
        ...(postgres && { HUB_DB_URL: postgres.url }),
      });
      ({ hubs } = await suite.use(pair));
      await bothUseRedis();
    }, 60_000);

    const bothUseRedis = () =>
      waitFor(async () => (await usesRedis(hubs[0])) && usesRedis(hubs[1]), { what: 'Redis' });
    const connect = (hub: Pair['hubs'][number], agentId: string, query = '') =>
      connectRpc(`${hub.url}/v1/ws?agent=${agentId}${query}`);
    const refusalOf = (call: Promise<unknown>) =>
      call.then(
        () => null,
        ({ data }) => data as object,
      );
    const isNamed =
      (name: string) =>
      ({ event }: { event: { name?: string } }) =>
        event.name === name;

    it('tells who is there, refuses unknown agents, and expires once, also when the hub that took the ask is killed', async () => {
      const channelId = 'deploys';
      const ana = await connect(hubs[0], 'ana');
      await using ben = await connect(hubs[1], 'ben');
      await using watcher = await connect(hubs[1], 'eva');
      await ana.call('channel.create', { channelId, name: 'Deploys' });
      for (const agentId of ['ben', 'cem', 'dan', 'eva']) {
        await ana.call('member.add', { channelId, agentId });
      }
      await watcher.call('subscribe', { topics: [{ channelId }] });
      const content = 'Roll back 1.4.0';
      // Negative control: a message to a misspelt agent is accepted without any sign of the mistake.
      await ana.call('message.send', { channelId, content, mentions: ['bem'] });
      const deadlineMs = 1_500;
      const ask = { channelId, content, deadlineMs };
      expect(await refusalOf(ana.call('ask.create', { ...ask, to: ['ben', 'bem'] }))).toEqual({
        ...{ code: 'not_found', agentIds: ['bem'] },
      });
      // An agent without a socket counts as connected while it waits for its inbox. The ask ends that wait.
      const polled = fetch(`${hubs[1].httpUrl}/v1/call/inbox.read?agent=dan`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ waitMs: 20_000 }),
      }).then((response) => response.json() as Promise<{ items: object[] }>);
      const waitingReads = () => hubMetric(hubs[1], 'hub_waiting_inbox_reads');
      await waitFor(async () => (await waitingReads()) === 1, { what: 'the inbox of dan' });
      const toDan = await ana.call('ask.create', { ...ask, deadlineMs: 60_000, to: ['dan'] });
      expect(toDan.deliveries).toEqual([{ agentId: 'dan', state: 'live' }]);
      expect((await polled).items).toMatchObject([
        { reason: 'ask', askId: toDan.askId, message: { content } },
      ]);
      const asked = await ana.call('ask.create', { ...ask, to: ['ben', 'cem'] });
      const { askId } = asked;
      expect(asked).toMatchObject({
        degraded: false,
        deliveries: [
          { agentId: 'ben', state: 'live' },
          { agentId: 'cem', state: 'away' },
        ],
      });
      const isAsk = ({ event }: { event: { message?: { ask?: object } } }) => !!event.message?.ask;
      expect((await ben.notification('notice', isAsk)).event.message.ask.to).toEqual([
        'ben',
        'cem',
      ]);
      await ben.call('message.send', { channelId, content: 'on it', replyTo: askId });
      const accepted = await ana.notification('notice', isNamed('ask.accepted'));
      expect(accepted.event.payload).toEqual({ askId, agentId: 'ben', note: null });

      await hubs[0].kill();
      const expired = await watcher.event(isNamed('ask.expired'));
      expect(expired).toMatchObject({ senderId: 'hub', senderKind: 'hub' });
      expect(expired.event.payload).toEqual({ askId, silent: ['cem'] });
      expect(expired.timestamp - (asked.timestamp + deadlineMs)).toBeLessThan(2_000);
      // For a few heartbeats, a connection to a killed hub still counts as open.
      const toAna = () =>
        ben.call('ask.create', { agentId: 'ana', content: 'still there?', deadlineMs: 60_000 });
      await waitFor(async () => (await toAna()).deliveries[0].state === 'away', {
        ...{ what: 'the end of the killed hub’s beats', timeoutMs: 8_000 },
      });
      await hubs[0].restart();
      await bothUseRedis();
      await using back = await connect(hubs[0], 'ana');
      await waitFor(async () => (await toAna()).deliveries[0].state === 'live', {
        ...{ what: 'the connection to the restarted hub', timeoutMs: 8_000 },
      });
      // The second ask expires next, so the restarted hub did not expire the first one again.
      const { askId: second } = await back.call('ask.create', {
        ...ask,
        deadlineMs: 1_000,
        to: ['cem'],
      });
      await back.notification('notice', isNamed('ask.expired'));
      const { events } = await back.call('log.read', { channelId, after: 0 });
      const asks = events.flatMap(({ event }: { event: { name?: string; payload?: object } }) =>
        event.name?.startsWith('ask.') ? [[event.name, event.payload]] : [],
      );
      expect(asks).toEqual([
        ['ask.accepted', { askId, agentId: 'ben', note: null }],
        ['ask.expired', { askId, silent: ['cem'] }],
        ['ask.expired', { askId: second, silent: ['cem'] }],
      ]);
      const { asks: mine } = await back.call('ask.list', { role: 'from', channelId });
      expect(mine.map((one: { askId: string }) => one.askId)).toEqual([second, askId, toDan.askId]);
      const { items } = await back.call('inbox.read', { limit: 200 });
      const answers = items.filter(({ reason }: { reason: string }) => reason === 'answer');
      expect(answers.map((item: { askId: string }) => item.askId)).toEqual([askId, askId, second]);
    });

    // The reported failure: an agent asks "which?" in a message, and two persons give two answers.
    it('have one answer when two persons race, and expire once when the hub that took the question is killed', async () => {
      const channelId = 'decisions';
      const asker = await connect(hubs[1], 'asker');
      await using pia = await connect(hubs[0], 'pia', '&kind=person');
      const paul = await connect(hubs[1], 'paul', '&kind=person');
      await asker.call('channel.create', { channelId, name: 'Decisions' });
      for (const agentId of ['pia', 'paul']) await asker.call('member.add', { channelId, agentId });
      await pia.call('subscribe', { topics: [{ channelId }] });
      const isSent = (one: Promise<unknown>) => one.then(() => true);
      // Negative control: as plain messages, both answers count.
      const say = (content: string) => ({ channelId, content });
      const both = [pia.call('message.send', say('yes')), paul.call('message.send', say('no'))];
      expect(await Promise.all(both.map(isSent))).toEqual([true, true]);
      const options = ['yes', 'no'].map((id) => ({ id, label: id }));
      const open = { channelId, title: 'Deploy 1.4.1?', options };
      const { questionId } = await asker.call('question.open', open);
      await pia.event(isNamed('question.opened'));
      const refusals = await Promise.all([
        refusalOf(pia.call('question.answer', { questionId, optionId: 'yes' })),
        refusalOf(paul.call('question.answer', { questionId, optionId: 'no' })),
      ]);
      const { event } = await asker.notification('notice', isNamed('question.answered'));
      const { question } = event.payload;
      expect(refusals.filter((refusal) => refusal !== null)).toEqual([
        { code: 'conflict', question },
      ]);
      expect(question).toMatchObject({
        state: 'answered',
        answers: [{ optionId: question.optionId }],
      });
      const unknown = asker.call('question.open', { ...open, responders: ['nobody'] });
      await expect(unknown).rejects.toMatchObject({ rpcCode: -32602 });

      const last = await asker.call('question.open', { ...open, expiresMs: 1_000 });
      await hubs[1].kill();
      const isLast = ({ event: { name, payload } }: { event: { name?: string; payload?: Any } }) =>
        name === 'question.expired' && payload.question.questionId === last.questionId;
      const expired = await pia.event(isLast);
      const { expiresMs, optionId } = expired.event.payload.question;
      expect([expired.senderKind, optionId]).toEqual(['hub', null]);
      expect(expired.timestamp - expiresMs).toBeLessThan(2_000);
      await hubs[1].restart();
      await bothUseRedis();
      await using back = await connect(hubs[1], 'asker');
      const late = pia.call('question.answer', { questionId: last.questionId, optionId: 'yes' });
      expect(await refusalOf(late)).toMatchObject({ code: 'conflict' });
      const { events } = await back.call('log.read', { channelId, after: 0 });
      const ends = events.flatMap((one: { event: { name?: string } }) =>
        one.event.name?.startsWith('question.') ? [one.event.name] : [],
      );
      expect(ends).toEqual([
        ...['question.opened', 'question.answered', 'question.opened', 'question.expired'],
      ]);
    });

    it('knows the connections of one hub alone while Redis is away, and says so', async () => {
      await using ana = await connect(hubs[0], 'ana');
      await using ben = await connect(hubs[1], 'ben');
      await using cem = await connect(hubs[0], 'cem');
      const channelId = 'away';
      await ana.call('channel.create', { channelId, name: 'Away' });
      for (const agentId of ['ben', 'cem']) await ana.call('member.add', { channelId, agentId });
      const ask = { channelId, to: ['ben', 'cem'], content: 'x', deadlineMs: 1_000 };
      const states = async (socket: typeof ana) => {
        const { deliveries, degraded } = await socket.call('ask.create', ask);
        return [degraded, ...deliveries.map(({ state }: { state: string }) => state)];
      };
      expect(await states(ana)).toEqual([false, 'live', 'live']);
      await redis.kill();
      await waitFor(async () => (await states(ana))[0] === true, { what: 'the outage' });
      expect(await states(ana)).toEqual([true, 'away', 'live']);
      await ana.call('subscribe', { topics: [{ channelId, since: 0 }] });
      await ana.event(isNamed('ask.expired'));
      await redis.restart();
      await bothUseRedis();
      await waitFor(async () => (await states(ana)).join() === 'false,live,live', {
        what: 'the leases of both hubs',
      });
      expect([ben, cem].map(({ ws }) => ws.readyState)).toEqual([1, 1]);
    });
  },
);
