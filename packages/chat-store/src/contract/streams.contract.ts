import { describe, expect, it } from '@jest/globals';
import { limits } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import { eraseStart, type Actor, type ChatStore } from '../index.ts';
import {
  agentOf,
  channelWithTwo,
  uniqueId,
  type Agent,
  type TestDatabase,
} from './world.contract.ts';

type Limits = Parameters<ChatStore['sweepStreams']>[0];
const never: Limits = { awayMs: null, idleMs: 600_000 };
const always: Limits = { awayMs: -1, idleMs: 1 };

async function sweepAll(store: ChatStore, limits: Limits): Promise<void> {
  while ((await store.sweepStreams(limits)).length > 0);
}

export function describeStreams(database: () => TestDatabase): void {
  const actorOf = ({ agentId }: Agent): Actor => ({ agentId, isAdmin: false });

  async function begin(content = '', more: object = {}) {
    const { store } = database();
    const world = await channelWithTwo(store);
    const { channelId, member } = world;
    const { messageId, seq } = await member.say(channelId, content, { stream: true, ...more });
    const of = { channelId, messageId };
    const grow = async (from: number, text: string, by: ChatStore = store) =>
      (await by.checkpointStreams([{ ...of, from, text }]))[0]?.length;
    const read = () => store.readStream(actorOf(member), channelId, messageId);
    const message = () => world.owner.read('message.get', of).then((got) => got.message);
    return { ...world, ...of, of, seq, grow, read, message };
  }

  describe('a message that grows', () => {
    it('shows its text as checkpointed, and is one edit of the log at its end', async () => {
      const { channelId, owner, member, of, seq, grow, read, message } = await begin('Three');
      expect(await message()).toMatchObject({ state: 'streaming', content: 'Three', seq });
      expect(await grow(5, ' tests 👍')).toBe(14);
      expect(await message()).toMatchObject({ state: 'streaming', content: 'Three tests 👍' });
      const { messages } = await owner.history(channelId);
      expect(messages.at(-1)).toMatchObject({ content: 'Three tests 👍', reactions: {} });
      expect(await read()).toEqual({ ok: true, text: 'Three tests 👍' });
      expect((await owner.log(channelId)).at(-1)).toMatchObject({
        seq,
        event: { type: 'channel.message', message: { content: 'Three', state: 'streaming' } },
      });
      const tooEarly = { ...of, content: 'other' };
      expect(await member.refusal('message.edit', tooEarly)).toBe('conflict');
      await owner.write('reaction.add', { ...of, emoji: '👍' });

      const end = { ...of, state: 'complete', length: 14 } as const;
      const finished = await member.write('message.finish', end);
      const log = await owner.log(channelId);
      expect(log.at(-1)).toMatchObject({
        seq: finished.seq,
        senderId: member.agentId,
        event: {
          type: 'channel.message.edit',
          message: {
            ...{ seq, content: 'Three tests 👍', state: 'complete', editedAt: null },
            reactions: { '👍': [owner.agentId] },
          },
        },
      });
      expect(await message()).toMatchObject({ state: 'complete', content: 'Three tests 👍' });
      const repeat = await member.outcome('message.finish', end);
      expect(repeat).toEqual({ ok: true, events: [], result: finished });
      const other = await member.outcome('message.finish', { ...end, state: 'failed' });
      const details = { length: 14, state: 'complete' };
      expect(other).toMatchObject({ ok: false, code: 'conflict', details });
      expect(await grow(14, 'late')).toBeNull();
      expect(await read()).toMatchObject({ ok: false, code: 'conflict', details });
      expect(await owner.log(channelId)).toHaveLength(log.length);
    });

    it('is only extended: by text that continues it or repeats it', async () => {
      const { grow, message } = await begin();
      const other = await database().another();
      expect(await grow(0, 'abcd')).toBe(4);
      // The author moved to another hub, which knows less of the text.
      expect(await grow(0, 'abcdef', other)).toBe(6);
      expect(await grow(4, 'e')).toBe(6);
      expect(await grow(4, 'efg')).toBe(7);
      expect(await grow(0, 'abX')).toBeNull();
      expect(await grow(9, 'beyond')).toBeNull();
      expect(await message()).toMatchObject({ content: 'abcdefg' });
    });

    it('ends with the text that its hub has not checkpointed, with other content, or not at all', async () => {
      const { store } = database();
      const { member, of, grow, message } = await begin();
      await grow(0, 'ab');
      const short = await member.outcome('message.finish', { ...of, state: 'stopped', length: 4 });
      const details = { length: 2, state: 'streaming' };
      expect(short).toMatchObject({ ok: false, code: 'conflict', details });
      const actor = { ...actorOf(member), unsaved: { ...of, from: 1, text: 'bcd' } };
      const params = { ...of, state: 'stopped', length: 4, content: null } as const;
      const rest = { mentions: null, parseMentions: null, metadata: null };
      expect(await store.append(actor, 'message.finish', { ...params, ...rest })).toMatchObject({
        ok: true,
      });
      expect(await message()).toMatchObject({ content: 'abcd', state: 'stopped' });

      const second = await begin('draft');
      const { member: author } = second;
      const content = 'x'.repeat(limits.contentBytes + 1);
      const end = { ...second.of, state: 'complete' } as const;
      expect(await author.refusal('message.finish', { ...end, content })).toBe('too_large');
      await author.write('message.finish', { ...end, length: 900, content: 'final' });
      expect(await second.message()).toMatchObject({ content: 'final' });
    });

    it('is its author’s own, and an agent has at most 8', async () => {
      const { channelId, owner, member, of } = await begin();
      const end = { ...of, state: 'complete' } as const;
      expect(await owner.refusal('message.finish', end)).toBe('forbidden');
      const { store } = database();
      const readBy = async (agent: Agent) =>
        (await store.readStream(actorOf(agent), channelId, of.messageId)) as { code?: string };
      expect((await readBy(owner)).code).toBe('forbidden');
      expect((await readBy(agentOf(store))).code).toBe('forbidden');
      const more = { channelId, content: '', stream: true };
      for (let n = 1; n < limits.streams; n += 1)
        expect(await member.refusal('message.send', more)).toBe('ok');
      expect(await member.refusal('message.send', more)).toBe('conflict');
      expect(await owner.refusal('message.send', more)).toBe('ok');
      await member.say(channelId, 'a plain message');
      await member.write('message.finish', end);
      expect(await member.refusal('message.send', more)).toBe('ok');
      await owner.write('message.send', { ...more, clientMessageId: 'once' });
      const again = await owner.write('message.send', { ...more, clientMessageId: 'once' });
      expect(again.duplicate).toBe(true);
      const plain = { channelId, content: 'once', clientMessageId: 'once' };
      expect(await owner.refusal('message.send', plain)).toBe('conflict');
    });

    it('is begun at most 8 times by an agent on two hubs in many channels', async () => {
      const { store } = database();
      const other = await database().another();
      const agentId = uniqueId('racer');
      const hubs = [agentOf(store, agentId), agentOf(other, agentId)];
      const channelIds = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const { channel } = await hubs[0]!.write('channel.create', { name: 'Race' });
          return channel.channelId;
        }),
      );
      const outcomes = await Promise.all(
        channelIds.flatMap((channelId) =>
          hubs.map((hub) => hub.refusal('message.send', { channelId, content: '', stream: true })),
        ),
      );
      expect(outcomes.filter((code) => code === 'ok')).toHaveLength(limits.streams);
      expect(new Set(outcomes)).toEqual(new Set(['ok', 'conflict']));
    });

    it('mentions, counts its turn and is found by its end only', async () => {
      const turn = { model: 'm', tokensIn: 1, tokensOut: 2, costMicros: 3, ms: 4 };
      const { channelId, owner, member, of, grow } = await begin('', { metadata: { turn } });
      const mentionsOf = async () => (await owner.read('read.state', {})).channels[0]?.mentions;
      const turns = async () =>
        (await owner.read('ledger.sum', { by: 'agent', channelId })).rows.map((row) => row.turns);
      await grow(0, `for @${owner.agentId} with uncommonword`);
      const { head } = await owner.history(channelId);
      await owner.write('read.mark', { channelId, seq: head });
      const inbox = async () => (await owner.read('inbox.read', {})).items;
      expect([await mentionsOf(), await turns(), await inbox()]).toEqual([0, [], []]);
      const params = { ...of, state: 'complete', parseMentions: true } as const;
      expect(await member.outcome('message.finish', params)).toMatchObject({
        events: [{ agentTopics: [owner.agentId], inboxes: [owner.agentId] }],
      });
      // The mention counts, although the owner's read mark is past the first event of the message.
      expect([await mentionsOf(), await turns()]).toEqual([1, [1]]);
      const { message } = await owner.read('message.get', of);
      expect(message).toMatchObject({ mentions: [owner.agentId], metadata: { turn } });
      expect(await inbox()).toMatchObject([
        { reason: 'mention', message: { content: message.content, state: 'complete' } },
      ]);
      await member.write('message.delete', of);
      expect([await mentionsOf(), await inbox()]).toEqual([0, []]);
      expect(JSON.stringify(await owner.log(channelId))).not.toContain('uncommonword');
    });

    it('may be edited 200 times after its end, which does not count', async () => {
      const { member, of } = await begin();
      await member.write('message.finish', { ...of, state: 'complete', content: 'v0' });
      for (let n = 1; n <= limits.edits; n += 1)
        expect(await member.refusal('message.edit', { ...of, content: `v${n}` })).toBe('ok');
      expect(await member.refusal('message.edit', { ...of, content: 'more' })).toBe('conflict');
    });
  });

  describe('a message that grows is interrupted once', () => {
    const states = async (owner: Agent, channelId: string) =>
      (await owner.log(channelId)).flatMap(({ senderId, event }) =>
        event.type === 'channel.message.edit' ? [[senderId, event.message.state]] : [],
      );

    it('when its author is away or silent, by whichever hub, and may be finished still', async () => {
      const { store } = database();
      const other = await database().another();
      const { channelId, owner, member, of, grow, message } = await begin();
      await grow(0, 'half of');
      // Negative control: the author is neither away nor silent.
      await store.keepStreams([member.agentId], 0);
      await sweepAll(store, { awayMs: 30_000, idleMs: 600_000 });
      expect(await states(owner, channelId)).toEqual([]);
      await Promise.all([store, other].map((hub) => sweepAll(hub, always)));
      expect(await states(owner, channelId)).toEqual([['hub', 'interrupted']]);
      expect(await message()).toMatchObject({ content: 'half of', state: 'interrupted' });
      expect(await grow(7, ' it')).toBeNull();
      const end = { ...of, state: 'complete', length: 10 } as const;
      const details = { length: 7, state: 'interrupted' };
      expect(await member.outcome('message.finish', end)).toMatchObject({ details });
      await member.write('message.finish', { ...end, content: 'all of it!' });
      expect(await message()).toMatchObject({ content: 'all of it!', state: 'complete' });
      await member.write('message.delete', of);
      expect(JSON.stringify(await owner.log(channelId))).not.toMatch(/half of|all of it/);
    });

    it('with its channel’s archive, a freeze, or its author’s removal, in that transaction', async () => {
      const ends: ((world: Awaited<ReturnType<typeof begin>>) => Promise<unknown>)[] = [
        ({ channelId, owner }) => owner.write('channel.archive', { channelId }),
        ({ channelId, owner, member }) =>
          owner.write('member.remove', { channelId, agentId: member.agentId }),
        ({ channelId, member }) => member.write('channel.leave', { channelId }),
      ];
      for (const end of ends) {
        const world = await begin('text');
        await end(world);
        const { channelId, owner } = world;
        expect(await states(owner, channelId)).toEqual([['hub', 'interrupted']]);
        expect((await owner.log(channelId)).at(-1)?.event.type).not.toBe('channel.message.edit');
      }
      const { store } = database();
      const root = agentOf(store, uniqueId('root'), { isAdmin: true, kind: 'person' });
      const bot = agentOf(store, uniqueId('bot'), { kind: 'agent' });
      const pia = agentOf(store, uniqueId('pia'), { kind: 'person' });
      for (const scope of ['channel', 'agent'] as const) {
        const { channel } = await pia.write('channel.create', { name: 'Frozen' });
        const { channelId } = channel;
        await bot.write('channel.join', { channelId });
        await bot.say(channelId, 'by a bot', { stream: true });
        await pia.say(channelId, 'by a person', { stream: true });
        const id = scope === 'channel' ? channelId : bot.agentId;
        await root.write('freeze', { scope, id, reason: 'stop' });
        await sweepAll(store, never);
        expect(await states(pia, channelId)).toEqual([['hub', 'interrupted']]);
        await root.write('unfreeze', { scope, id });
      }
    });

    // The fault: in an archived or frozen channel, messages beyond the first 50 kept growing until the sweep ended
    // them. Their texts included what was appended after the freeze. Invariant: after a freeze, a channel gets nothing
    // more from an agent.
    it('and grows no more from the archive on, also beyond those that its transaction interrupts', async () => {
      const { store } = database();
      const { channelId, owner } = await channelWithTwo(store);
      const authors = Array.from({ length: 7 }, () => agentOf(store));
      await Promise.all(authors.map((author) => author.write('channel.join', { channelId })));
      const sent = await Promise.all(
        authors.flatMap((author) =>
          Array.from({ length: limits.streams }, () =>
            author.say(channelId, 'text', { stream: true }),
          ),
        ),
      );
      await owner.write('channel.archive', { channelId });
      const pieces = sent.flatMap(({ messageId }) => [
        { channelId, messageId, from: 4, text: '!' },
      ]);
      const grown = await store.checkpointStreams(pieces);
      const elsewhere = await store.checkpointStreams(
        pieces.map((piece) => ({ ...piece, from: 3, text: 't!' })),
      );
      expect(new Set([...grown, ...elsewhere].map(({ length }) => length))).toEqual(
        new Set([null]),
      );
      await sweepAll(store, never);
      const ended = await states(owner, channelId);
      expect(ended).toEqual(sent.map(() => ['hub', 'interrupted']));
    });

    // The fault: an author that appended over REST, through two hubs in turn, counted as away after 30 s.
    it('but not while its author appends through several hubs', async () => {
      const { store } = database();
      const { channelId, owner, grow } = await begin();
      await grow(0, 'ab');
      const startMs = performance.now();
      await waitFor(() => performance.now() - startMs > 1_200);
      expect(await grow(1, 'bc')).toBe(3);
      await sweepAll(store, { ...never, awayMs: 1_000 });
      expect(await states(owner, channelId)).toEqual([]);
      await sweepAll(store, { ...never, awayMs: -1 });
      expect(await states(owner, channelId)).toEqual([['hub', 'interrupted']]);
    });

    it('and ends without an event in a deleted channel, or when it is deleted', async () => {
      const { store } = database();
      const { channelId, owner, member, of, grow, read } = await begin('text');
      await member.write('message.delete', of);
      expect(await states(owner, channelId)).toEqual([]);
      // If the refusal said `streaming`, the client would send its text again, without end.
      expect(await read()).toMatchObject({
        ...{ code: 'conflict', message: expect.stringContaining('was deleted') },
        details: { length: 0, state: 'stopped' },
      });
      expect(await grow(4, ' more')).toBeNull();
      const { head } = await owner.history(channelId);
      const gone = await begin('text');
      await gone.owner.write('channel.delete', { channelId: gone.channelId });
      expect(await gone.grow(4, ' more')).toBeNull();
      await sweepAll(store, always);
      expect((await owner.history(channelId)).head).toBe(head);
    });

    it('and goes with an erased author', async () => {
      const { store } = database();
      const { channelId, owner, member } = await begin('secret text');
      const erasure = { agentId: member.agentId, pseudonym: uniqueId('erased'), isDryRun: false };
      for (let place = eraseStart; place.phase !== 'done';)
        ({ place } = await store.eraseSome(erasure, place));
      expect(JSON.stringify(await owner.log(channelId))).not.toContain('secret text');
      expect(await store.readStreamAuthors()).not.toContain(member.agentId);
    });
  });
}
