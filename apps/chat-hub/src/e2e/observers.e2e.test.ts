import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';

const asAdmin = { query: '&role=admin&kind=person' };

interface Act {
  readonly actor: string;
  readonly target: string;
  readonly details: object;
}

async function observations(hub: TestHub): Promise<Act[]> {
  const path = '/v1/audit?action=channel.observe&role=admin';
  return (await hub.request('auditor', 'GET', path)).body.entries as Act[];
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    ({ data }: { data: { code: string } }) => data.code,
  );

async function furnish(hub: TestHub) {
  const ana = await hub.connect('ana');
  for (const [channelId, kind] of Object.entries({ secret: 'private', open: 'public' })) {
    await ana.call('channel.create', { channelId, name: channelId, kind });
    await ana.call('message.send', { channelId, content: 'for members' });
  }
  const sent = await ana.call('direct.send', { agentId: 'ben', content: 'for ben' });
  return { ana, direct: (sent as { channelId: string }).channelId };
}

describe('an admin that is no member', () => {
  it('reads every channel without joining; private and direct ones are in the audit log, once', async () => {
    await using hub = await startTestHub(noRedis);
    const { ana, direct } = await furnish(hub);
    await using root = await hub.connect('root', asAdmin);
    for (const channelId of ['secret', 'open', direct]) {
      expect(await root.call('message.history', { channelId })).toMatchObject({
        messages: [{ channelId }],
      });
    }
    await root.call('subscribe', { topics: [{ channelId: 'secret' }] });
    await root.call('log.read', { channelId: 'secret', after: 0 });
    await hub.request('rest', 'GET', '/v1/channels/secret/messages?role=admin');
    await waitFor(async () => (await observations(hub)).length === 3, { what: 'the entries' });
    const acts = await observations(hub);
    expect(acts.map(({ actor, target }) => `${actor} ${target}`).sort()).toEqual(
      [`rest secret`, `root ${direct}`, `root secret`].sort(),
    );
    expect(acts.find(({ target }) => target === direct)?.details).toEqual({ kind: 'direct' });
    expect(await root.call('read.state', {})).toEqual({ channels: [] });
    const { members } = (await ana.call('member.list', { channelId: 'secret' })) as {
      members: unknown[];
    };
    expect(members).toHaveLength(1);
    await ana.call('message.history', { channelId: 'secret' });
    await using eve = await hub.connect('eve');
    expect(await codeOf(eve.call('message.history', { channelId: 'secret' }))).toBe('not_found');
    await using member = await hub.connect('member', asAdmin);
    await ana.call('member.add', { channelId: 'secret', agentId: 'member' });
    await member.call('message.history', { channelId: 'secret' });
    await root.call('message.history', { channelId: direct });
    await using last = await hub.connect('last', asAdmin);
    await last.call('message.history', { channelId: 'secret' });
    await waitFor(async () => (await observations(hub))[0]?.actor === 'last', { what: 'the last' });
    expect(await observations(hub)).toHaveLength(4);

    // An observer follows the channel, but is present in it only when it is a member too.
    const present = async () => {
      const { presences } = (await ana.call('presence.list', { channelId: 'open' })) as {
        presences: { agentId: string }[];
      };
      return presences.map(({ agentId }) => agentId).sort();
    };
    await root.call('subscribe', { topics: [{ channelId: 'open' }] });
    await using ben = await hub.connect('ben');
    await ben.call('channel.join', { channelId: 'open' });
    await ben.call('subscribe', { topics: [{ channelId: 'open' }] });
    await waitFor(async () => (await present()).includes('ben'), { what: 'ben' });
    expect(await present()).toEqual(['ben']);
    await root.call('channel.join', { channelId: 'open' });
    await waitFor(async () => (await present()).includes('root'), { what: 'the new member' });
    await ana.close();
  });

  it('reads public channels only with HUB_ADMIN_READS=public, and still manages the others', async () => {
    await using hub = await startTestHub({ ...noRedis, HUB_ADMIN_READS: 'public' });
    const { ana, direct } = await furnish(hub);
    await using root = await hub.connect('root', asAdmin);
    const metadata = { turn: { model: 'm', tokensIn: 1, tokensOut: 1, costMicros: 1, ms: 1 } };
    for (const channelId of ['secret', 'open']) {
      await ana.call('question.open', { channelId, title: 'Deploy?' });
      await ana.call('message.send', { channelId, content: 'a turn', metadata });
    }
    // The fault: without a channelId, these lists showed private channels.
    for (const [method, list, params] of [
      ['question.list', 'questions', {}],
      ['ledger.sum', 'rows', { by: 'channel' }],
    ] as const) {
      const shown = (await root.call(method, params)) as Record<string, { channelId: string }[]>;
      expect(shown[list]?.map(({ channelId }) => channelId)).toEqual(['open']);
    }
    const newest = { limit: 1 };
    for (const channelId of ['secret', direct]) {
      for (const [method, params] of Object.entries({
        'message.history': newest,
        'log.read': { after: 0 },
        'message.search': { query: 'members' },
        'member.list': {},
        'thread.list': {},
        'presence.list': {},
        'typing.list': {},
        'channel.get': {},
      })) {
        const code = await codeOf(root.call(method, { channelId, ...params }));
        expect({ method, code }).toEqual({ method, code: 'not_found' });
      }
      const waiting = root.call('log.read', { channelId, after: 99, waitMs: 50 });
      expect(await codeOf(waiting)).toBe('not_found');
      expect(await root.call('subscribe', { topics: [{ channelId }] })).toEqual({
        topics: [{ channelId, error: { code: 'not_found' } }],
      });
    }
    expect(await codeOf(root.call('inbox.read', { agentId: 'ben' }))).toBe('forbidden');
    expect(await codeOf(root.call('inbox.read', {}))).toBe('ok');
    expect(await codeOf(root.call('message.history', { channelId: 'open' }))).toBe('ok');
    await root.call('member.add', { channelId: 'secret', agentId: 'root' });
    expect(await codeOf(root.call('message.history', { channelId: 'secret' }))).toBe('ok');
    await root.call('member.remove', { channelId: 'secret', agentId: 'root' });
    expect(await codeOf(root.call('message.history', { channelId: 'secret' }))).toBe('not_found');
    expect(await observations(hub)).toEqual([]);
    await ana.close();
  });
});
