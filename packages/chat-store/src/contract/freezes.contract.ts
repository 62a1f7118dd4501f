import { describe, expect, it } from '@jest/globals';
import type { ParamsInputOf } from '@openclaw/protocol';
import type { AuditRecord, WriteMethod } from '../index.ts';
import { agentOf, eventOf, uniqueId, type TestDatabase } from './world.contract.ts';

const reason = 'it loops';

export function describeFreezes(database: () => TestDatabase): void {
  async function world(kind: 'public' | 'private' = 'public') {
    const { store } = database();
    const owner = agentOf(store, uniqueId('owner'), { kind: 'person' });
    const agent = agentOf(store, uniqueId('agent'), { kind: 'agent' });
    const person = agentOf(store, uniqueId('person'), { kind: 'person' });
    const admin = agentOf(store, uniqueId('admin'), { kind: 'person', isAdmin: true });
    const { channel } = await owner.write('channel.create', { name: 'Frozen', kind });
    const { channelId } = channel;
    await owner.write('member.add', { channelId, agentId: agent.agentId, role: 'owner' });
    await owner.write('member.add', { channelId, agentId: person.agentId });
    return { store, channelId, owner, agent, person, admin };
  }
  type World = Awaited<ReturnType<typeof world>>;

  async function writesIn({ channelId, owner, person }: World) {
    const { messageId } = await owner.say(channelId, 'one');
    const ofMessage = { channelId, messageId };
    const of = <M extends WriteMethod>(method: M, params: ParamsInputOf<M>) =>
      [method, params] as [WriteMethod, object];
    return [
      of('channel.update', { channelId, topic: 'mine' }),
      of('channel.archive', { channelId }),
      of('channel.delete', { channelId }),
      of('channel.join', { channelId }),
      of('channel.leave', { channelId }),
      of('member.add', { channelId, agentId: uniqueId('new') }),
      of('member.remove', { channelId, agentId: person.agentId }),
      of('member.update', { channelId, agentId: person.agentId, displayName: 'P' }),
      of('message.send', { channelId, content: 'two' }),
      of('message.edit', { ...ofMessage, content: 'other' }),
      of('message.delete', ofMessage),
      of('message.finish', { ...ofMessage, state: 'complete' }),
      of('reaction.add', { ...ofMessage, emoji: '👍' }),
      of('reaction.remove', { ...ofMessage, emoji: '👍' }),
      of('thread.create', ofMessage),
      of('thread.update', { channelId, threadId: messageId, title: 'T' }),
      of('claim', { channelId, threadId: messageId, leaseMs: 60_000 }),
      of('claim.release', { channelId, threadId: messageId }),
      of('collaboration.emit', { channelId, name: 'review', payload: {} }),
    ];
  }

  describe('a freeze', () => {
    // The reported failure: each agent kept writing until it noticed that it should stop.
    it('of a channel lets nothing of an agent stand after its own seq, and persons go on', async () => {
      const { store, channelId, owner, agent, person } = await world();
      const other = agentOf(await database().another(), agent.agentId, { kind: 'agent' });
      // Negative control: the agent may write before the freeze.
      await other.say(channelId, 'before');
      let isFrozen = false;
      const writing = [agentOf(store, agent.agentId, { kind: 'agent' }), other].map(async (one) => {
        let accepted = 0;
        for (;;) {
          const wasFrozen = isFrozen;
          const code = await one.refusal('message.send', { channelId, content: 'again' });
          if (code === 'ok') accepted += 1;
          else expect(code).toBe('frozen');
          if (wasFrozen) return accepted;
        }
      });
      while ((await owner.log(channelId)).length < 8);
      const frozen = eventOf(
        await owner.outcome('freeze', { scope: 'channel', id: channelId, reason }),
      );
      isFrozen = true;
      await Promise.all(writing);
      await person.say(channelId, 'a person goes on');
      const { seq, event } = frozen;
      expect(event).toMatchObject({
        ...{ type: 'collaboration.event', name: 'freeze.set' },
        payload: { scope: 'channel', id: channelId, reason },
      });
      const after = (await owner.log(channelId)).filter((one) => (one.seq ?? 0) > (seq ?? 0));
      expect(after.map(({ senderId }) => senderId)).toEqual([person.agentId]);
    });

    it('refuses every method of an agent that appends an event, also with the rights of an admin', async () => {
      const made = await world();
      const { store, channelId, owner, agent } = made;
      const calls = await writesIn(made);
      await owner.write('freeze', { scope: 'channel', id: channelId, reason });
      const asAdmin = agentOf(store, agent.agentId, { kind: 'agent', isAdmin: true });
      for (const one of [agent, asAdmin]) {
        for (const [method, params] of calls) {
          const outcome = await one.outcome(method, params as never);
          const details = outcome.ok ? null : [outcome.code, outcome.details];
          expect([method, details]).toEqual([method, ['frozen', { scope: 'channel' }]]);
        }
      }
      expect((await agent.history(channelId)).messages).not.toEqual([]);
      await agent.write('read.mark', { channelId, seq: 1 });
      // The freeze of a channel stops only senders that are known to be of the kind `agent`.
      expect(
        await agentOf(store, agent.agentId).refusal('message.send', { channelId, content: 'x' }),
      ).toBe('ok');
      const service = agentOf(store, agent.agentId, { kind: 'service' });
      expect(await service.refusal('message.send', { channelId, content: 'x' })).toBe('ok');
    });

    it('of the hub or of an agent comes with the actor, and stops new channels too', async () => {
      const made = await world();
      const { store, agent, person, channelId } = made;
      for (const scope of ['hub', 'agent'] as const) {
        const frozen = agentOf(store, agent.agentId, {
          kind: 'agent',
          frozen: scope,
          isAdmin: true,
        });
        const calls: [WriteMethod, object][] = [
          ...(await writesIn(made)),
          ['channel.create', { name: 'New' }],
          ['direct.send', { agentId: person.agentId, content: 'hi' }],
          ['freeze', { scope: 'agent', id: person.agentId, reason }],
        ];
        for (const [method, params] of calls) {
          const outcome = await frozen.outcome(method, params as never);
          const details = outcome.ok ? null : [outcome.code, outcome.details];
          expect([method, details]).toEqual([method, ['frozen', { scope }]]);
        }
        // Negative control: a person with the same freeze still writes.
        const notAgent = agentOf(store, person.agentId, { kind: 'person', frozen: scope });
        await notAgent.say(channelId, 'on');
      }
      const { channels } = await person.read('channel.list', { kind: 'direct', member: true });
      expect(channels).toEqual([]);
    });

    it('lets a repeat be answered as the first call was', async () => {
      const { store, channelId, owner, agent, person } = await world();
      const { messageId } = await owner.say(channelId, 'root');
      const calls: [WriteMethod, object][] = [
        ['message.send', { channelId, content: 'one', clientMessageId: 'a' }],
        ['direct.send', { agentId: person.agentId, content: 'hi', clientMessageId: 'b' }],
        ['thread.create', { channelId, messageId, clientMessageId: 'c' }],
        ['collaboration.emit', { channelId, name: 'n', payload: {}, clientMessageId: 'd' }],
      ];
      for (const [method, params] of calls) await agent.write(method, params as never);
      await owner.write('freeze', { scope: 'channel', id: channelId, reason });
      const frozen = agentOf(store, agent.agentId, { kind: 'agent', frozen: 'agent' });
      for (const one of [agent, frozen]) {
        for (const [method, params] of calls) {
          expect([method, await one.refusal(method, params as never)]).toEqual([method, 'ok']);
        }
      }
    });

    it('changes nothing when it is repeated, and each is lifted by itself', async () => {
      const { channelId, owner, agent } = await world();
      const freeze = { scope: 'channel' as const, id: channelId };
      await owner.write('freeze', { ...freeze, reason });
      const repeat = await owner.outcome('freeze', { ...freeze, reason });
      expect(repeat).toEqual({ ok: true, result: {}, events: [] });
      const replaced = eventOf(await owner.outcome('freeze', { ...freeze, reason: 'other' }));
      expect(replaced.event).toMatchObject({ payload: { reason: 'other' } });
      expect(await agent.refusal('message.send', { channelId, content: 'x' })).toBe('frozen');
      const lifted = eventOf(await owner.outcome('unfreeze', { ...freeze, reason: 'done' }));
      expect(lifted.event).toMatchObject({
        name: 'freeze.lifted',
        payload: { scope: 'channel', id: channelId, reason: 'done' },
      });
      const again = await owner.outcome('unfreeze', freeze);
      expect(again).toEqual({ ok: true, result: {}, events: [] });
      expect(await agent.refusal('message.send', { channelId, content: 'x' })).toBe('ok');
      const still = agentOf(database().store, agent.agentId, { kind: 'agent', frozen: 'agent' });
      expect(await still.refusal('message.send', { channelId, content: 'x' })).toBe('frozen');
    });

    it('is for admins, and of a channel for its owners of kind person; no agent lifts one', async () => {
      const { store, channelId, owner, agent, person, admin } = await world('private');
      const freeze = { scope: 'channel' as const, id: channelId, reason };
      const refusals = async (one: typeof owner, params: ParamsInputOf<'freeze'>) => [
        await one.refusal('freeze', params),
        await one.refusal('unfreeze', params),
      ];
      expect(await refusals(agent, freeze)).toEqual(['forbidden', 'forbidden']);
      expect(await refusals(person, freeze)).toEqual(['forbidden', 'forbidden']);
      const outsider = agentOf(store, uniqueId('out'), { kind: 'person' });
      expect(await refusals(outsider, freeze)).toEqual(['not_found', 'not_found']);
      expect(await refusals(owner, freeze)).toEqual(['ok', 'ok']);
      expect(await refusals(admin, freeze)).toEqual(['ok', 'ok']);
      const adminAgent = agentOf(store, uniqueId('robot'), { kind: 'agent', isAdmin: true });
      expect(await refusals(adminAgent, { ...freeze })).toEqual(['ok', 'forbidden']);
      // The freeze also covers the agent that set it.
      expect(await adminAgent.refusal('freeze', { ...freeze, reason: 'more' })).toBe('frozen');
      const ofAgent = { scope: 'agent' as const, id: agent.agentId, reason };
      expect(await refusals(owner, ofAgent)).toEqual(['forbidden', 'forbidden']);
      expect(await refusals(owner, { scope: 'hub', reason })).toEqual(['forbidden', 'forbidden']);
      const bounded = { kind: 'person', isAdmin: true, channels: ['elsewhere'] } as const;
      const boundedAdmin = agentOf(store, uniqueId('admin'), bounded);
      expect(await refusals(boundedAdmin, ofAgent)).toEqual(['forbidden', 'forbidden']);
      expect(await refusals(boundedAdmin, freeze)).toEqual(['forbidden', 'forbidden']);
      expect(await admin.refusal('freeze', { ...freeze, id: 'nowhere' })).toBe('not_found');
    });

    it('of an agent or of the hub is found by every hub with the next version', async () => {
      const { store, agent, admin } = await world();
      const other = await database().another();
      const versionOf = async () => (await other.changes(null)).freezes;
      const before = await versionOf();
      const freeze = { scope: 'agent' as const, id: agent.agentId };
      const outcome = await admin.outcome('freeze', { ...freeze, reason });
      expect(outcome).toMatchObject({
        ok: true,
        events: [],
        globalEvent: { name: 'freeze.set', payload: { ...freeze, reason } },
      });
      const version = await versionOf();
      expect(version).not.toBe(before);
      expect(await other.freezes()).toMatchObject({
        ...{ version, hub: false, agents: expect.arrayContaining([agent.agentId]) },
      });
      expect(await admin.outcome('freeze', { ...freeze, reason })).not.toHaveProperty(
        'globalEvent',
      );
      expect(await versionOf()).toBe(version);
      await admin.write('freeze', { scope: 'hub', reason });
      expect(await store.freezes()).toMatchObject({ hub: true });
      await admin.write('unfreeze', { scope: 'hub' });
      expect(await admin.outcome('unfreeze', freeze)).toMatchObject({
        globalEvent: { name: 'freeze.lifted', payload: { ...freeze, reason: null } },
      });
      const { hub, agents } = await store.freezes();
      expect([hub, agents.includes(agent.agentId)]).toEqual([false, false]);
    });

    it('is audited in its own transaction, when it changes something', async () => {
      const { store, agent, admin } = await world();
      const target = agent.agentId;
      const audit: AuditRecord = {
        actor: admin.agentId,
        action: 'freeze',
        target,
        details: { reason },
        via: 'ws',
        ...{ address: null, requestId: null, hubId: null },
      };
      const audited = agentOf(store, admin.agentId, { kind: 'person', isAdmin: true, audit });
      const startMs = (await agent.write('channel.create', { name: 'now' })).channel.createdAt;
      const freeze = { scope: 'agent' as const, id: target };
      for (let n = 0; n < 2; n += 1) await audited.write('freeze', { ...freeze, reason });
      const { entries } = await store.readAudit({ target, limit: 9 });
      expect(entries).toMatchObject([audit]);
      expect(entries[0]?.atMs).toBeGreaterThanOrEqual(startMs);
      await admin.write('unfreeze', freeze);
    });

    it('is listed for those whom it concerns', async () => {
      const { store, channelId, owner, agent, admin } = await world('private');
      const outsider = agentOf(store, uniqueId('out'), { kind: 'person' });
      await owner.write('freeze', { scope: 'channel', id: channelId, reason });
      await admin.write('freeze', { scope: 'agent', id: agent.agentId, reason: 'yours' });
      await admin.write('freeze', { scope: 'hub', reason: 'all' });
      const listed = async (one: typeof owner) =>
        (await one.read('freeze.list', {})).freezes.map(({ scope, id, reason: why, by }) => [
          ...[scope, id],
          ...[why, by],
        ]);
      const ofHub = ['hub', null, 'all', admin.agentId];
      const ofAgent = ['agent', agent.agentId, 'yours', admin.agentId];
      const ofChannel = ['channel', channelId, reason, owner.agentId];
      expect(await listed(outsider)).toEqual([ofHub]);
      expect(await listed(owner)).toEqual([ofHub, ofChannel]);
      expect(await listed(agent)).toEqual([ofHub, ofAgent, ofChannel]);
      expect(await listed(admin)).toEqual(expect.arrayContaining([ofHub, ofAgent, ofChannel]));
      const bounded = agentOf(store, admin.agentId, { isAdmin: true, channels: [channelId] });
      expect(await listed(bounded)).toEqual([ofHub, ofChannel]);
      await admin.write('unfreeze', { scope: 'hub' });
      await admin.write('unfreeze', { scope: 'agent', id: agent.agentId });
      await owner.write('channel.delete', { channelId });
      expect(await listed(owner)).toEqual([]);
      expect((await store.access(owner.agentId, [channelId])).get(channelId)).toBeUndefined();
    });

    it('of a channel stands in the access that typing asks for', async () => {
      const { store, channelId, owner, agent } = await world();
      const access = async () => (await store.access(agent.agentId, [channelId])).get(channelId);
      expect(await access()).not.toHaveProperty('frozen');
      await owner.write('freeze', { scope: 'channel', id: channelId, reason });
      expect(await access()).toMatchObject({ frozen: true });
    });
  });
}
