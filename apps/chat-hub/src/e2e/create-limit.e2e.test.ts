import { describe, expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { directChannelId } from '@openclaw/chat-store';
import { range } from '../testing/seqs.ts';
import { startTestHub, type TestHub } from '../testing/test-hub.ts';
const most = 12;

const hub = closeAfterAll(await startTestHub({ HUB_LIMIT_CREATE: `${most}/3600` }));

type Socket = Awaited<ReturnType<TestHub['connect']>>;
interface Refused {
  readonly code: string;
  readonly retryAfterMs?: number;
}
const codeOf = (socket: Socket, method: string, params: object) =>
  socket.call(method, params).then(
    () => 'ok',
    (error: Refused) => error.code,
  );
const count = (codes: readonly string[], code: string) =>
  codes.filter((one) => one === code).length;
const directsOf = async (socket: Socket) =>
  (await socket.call('channel.list', { kind: 'direct', limit: 200 })).channels as unknown[];

describe('what one agent may create', () => {
  it('is a limited number of channels per window, over WebSocket and REST together', async () => {
    await using ana = await hub.connect('ana');
    const create = (name: string) => codeOf(ana, 'channel.create', { name });
    const codes = await Promise.all(range(1, most - 2).map((n) => create(`c${n}`)));
    expect(count(codes, 'ok')).toBe(most - 2);
    const posted = await Promise.all(
      range(1, 4).map((n) => hub.request('ana', 'POST', '/v1/channels', { name: `r${n}` })),
    );
    expect(posted.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429]);
    const refused = posted.find(({ status }) => status === 429);
    expect(refused?.body.error).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
    await expect(ana.call('channel.create', { name: 'x' })).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
    const { channels } = await ana.call('channel.list', { member: true });
    const { channelId } = channels[0];
    expect(await codeOf(ana, 'message.send', { channelId, content: 'x' })).toBe('ok');
    expect(await codeOf(ana, 'channel.update', { channelId, topic: 'x', metadata: { a: 1 } })).toBe(
      'ok',
    );
    await using ben = await hub.connect('ben');
    expect(await codeOf(ben, 'channel.join', { channelId })).toBe('ok');
    expect(await codeOf(ben, 'channel.create', { name: 'x' })).toBe('ok');
  });

  it('is a limited number of memberships of others', async () => {
    await using cem = await hub.connect('cem');
    const { channel } = await cem.call('channel.create', { name: 'full' });
    const codes = await Promise.all(
      range(1, most + 5).map((n) =>
        codeOf(cem, 'member.add', { channelId: channel.channelId, agentId: `agent-${n}` }),
      ),
    );
    expect(count(codes, 'ok')).toBe(most - 1);
    expect(count(codes, 'rate_limited')).toBe(6);
  });

  // The race: several sockets of one agent send first messages to many agents at once. Invariant: a channel counts
  // against the limit before it is committed.
  it('is a limited number of direct channels; messages in them do not count', async () => {
    const sockets = await Promise.all(range(1, 3).map(() => hub.connect('dan')));
    const [dan, ...others] = sockets as [Socket, ...Socket[]];
    const direct = (socket: Socket, agentId: string) =>
      codeOf(socket, 'direct.send', { agentId, content: 'x' });
    const ema = await hub.connect('ema');
    expect(await direct(ema, 'dan')).toBe('ok');

    const first = await Promise.all(range(1, 2 * most).map(() => direct(dan, 'peer-1')));
    expect(count(first, 'ok')).toBe(2 * most);
    const flood = sockets.flatMap((socket, index) =>
      range(1, 20).map((n) => direct(socket, `peer-${index}-${n}`)),
    );
    const codes = await Promise.all(flood);
    // Dan has two earlier direct channels. The one with peer-1 counts. The other does not, because Ema opened it.
    expect([count(codes, 'ok'), count(codes, 'rate_limited')]).toEqual([most - 1, 61 - most]);
    expect(await directsOf(dan)).toHaveLength(most + 1);
    expect(await direct(dan, 'peer-1')).toBe('ok');
    expect(await direct(dan, 'ema')).toBe('ok');
    const posted = await hub.request('dan', 'POST', '/v1/direct/nobody', { content: 'x' });
    expect(posted.status).toBe(429);
    expect(await direct(dan, 'fay')).toBe('rate_limited');
    const fay = await hub.connect('fay');
    expect(await direct(fay, 'dan')).toBe('ok');
    expect(await direct(dan, 'fay')).toBe('ok');
    await Promise.all([ema, fay, dan, ...others].map((socket) => socket.close()));
  });

  it('keeps the order of calls when the first creates their direct channel', async () => {
    await using gus = await hub.connect('gus');
    const channelId = directChannelId('gus', 'hal');
    const answers = await Promise.all([
      gus.call('direct.send', { agentId: 'hal', content: '1' }),
      gus.call('message.send', { channelId, content: '2' }),
      gus.call('direct.send', { agentId: 'hal', content: '3' }),
    ]);
    expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('is a limited size of channel metadata', async () => {
    await using ida = await hub.connect('ida');
    const metadata = { text: 'x'.repeat(7 * 1024) };
    const { channel } = await ida.call('channel.create', { name: 'small', metadata: { a: 'b' } });
    const { channelId } = channel;
    expect(await codeOf(ida, 'channel.update', { channelId, metadata })).toBe('ok');
    expect(await codeOf(ida, 'channel.create', { name: 'big', metadata })).toBe('rate_limited');
  });

  it('is not limited for admins', async () => {
    await using jim = await hub.connect('jim', { query: '&role=admin' });
    const codes = await Promise.all(
      range(1, 2 * most).map((n) => codeOf(jim, 'channel.create', { name: `j${n}` })),
    );
    expect(count(codes, 'ok')).toBe(2 * most);
  });
});
