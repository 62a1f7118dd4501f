import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, waitFor } from '@openclaw/test-support';
import { SignJWT } from 'jose';
import {
  startTestHub,
  temporaryDatabase,
  type TestDatabase,
  type TestHub,
} from '../testing/test-hub.ts';

let database: TestDatabase;
afterAll(() => database?.remove());

const isMessage =
  (content: string) =>
  ({ event }: { event: { message?: { content: string } } }) =>
    event.message?.content === content;

describe('the kind of a sender, in dev mode', () => {
  let hub: TestHub;
  beforeAll(async () => {
    database = await temporaryDatabase();
    hub = await startTestHub({ HUB_DB_URL: database.url });
  });
  afterAll(() => hub?.close());

  it('is set by ?kind= on both transports, and is in the welcome, member, envelope and message', async () => {
    const ana = await hub.connect('ana', { query: '&kind=person' });
    const ben = await hub.connect('ben');
    expect([ana.welcome.kind, ben.welcome.kind]).toEqual(['person', 'agent']);
    const channelId = 'kinds';
    await ana.call('channel.create', { channelId, name: 'Kinds' });
    await ben.call('channel.join', { channelId });
    await ana.call('subscribe', { topics: [{ channelId }] });
    await ben.call('message.send', { channelId, content: 'ws', clientMessageId: 'own 1' });
    const plain = await ana.event(isMessage('ws'));
    expect(plain).toMatchObject({
      senderKind: 'agent',
      event: { message: { senderKind: 'agent', state: 'complete', clientMessageId: 'own 1' } },
    });
    expect(plain.event.message).not.toHaveProperty('origin');

    const messages = `/v1/channels/${channelId}/messages`;
    const sent = await hub.request('ben', 'POST', `${messages}?kind=service`, {
      content: 'rest',
      replyTo: plain.event.message?.id,
      taint: ['web'],
    });
    expect(sent.status).toBe(201);
    expect(await ana.event(isMessage('rest'))).toMatchObject({
      senderKind: 'service',
      event: {
        message: {
          senderKind: 'service',
          replyTo: plain.event.message?.id,
          origin: {
            via: 'rest',
            onBehalfOf: null,
            cause: [plain.event.message?.id],
            taint: ['web'],
          },
        },
      },
    });
    await waitFor(
      async () => {
        const { body } = await hub.request(
          'ana',
          'GET',
          `/v1/channels/${channelId}/members?kind=person`,
        );
        const kinds = body.members.map((member: { kind: string }) => member.kind);
        return JSON.stringify(kinds) === '["person","service"]';
      },
      { what: 'the kinds of the last tokens' },
    );
    await ben.call('direct.send', { agentId: 'ana', content: 'psst', taint: ['web'] });
    expect(await ana.event(isMessage('psst'))).toMatchObject({
      event: { message: { senderKind: 'agent', origin: { via: 'ws', taint: ['web'] } } },
    });
    await Promise.all([ana.close(), ben.close()]);
  });

  it('does not affect the param of channel.list with the same name', async () => {
    for (const kind of ['public', 'person', 'direct']) {
      expect((await hub.request('ana', 'GET', `/v1/channels?kind=${kind}`)).status).toBe(200);
    }
    const { body } = await hub.request('ana', 'GET', '/v1/channels?kind=private');
    expect(body.channels).toEqual([]);
  });

  it('is refused when it is unknown, and so is an origin as a param', async () => {
    const refused = await hub.request('ana', 'GET', '/v1/channels?kind=admin');
    expect(refused).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    await expect(hub.connect('ana', { query: '&kind=admin', timeoutMs: 1_000 })).rejects.toThrow();
    const ana = await hub.connect('ana');
    const send = { channelId: 'kinds', content: 'x', origin: { via: 'mcp' } };
    await expect(ana.call('message.send', send)).rejects.toMatchObject({ rpcCode: -32602 });
    await ana.close();
  });
});

describe('the kind of a sender, with tokens', () => {
  const secret = 'a-secret-of-more-than-32-characters!';
  let hub: TestHub;
  let file: TestDatabase;
  const token = (claims: Record<string, unknown>) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('5m')
      .sign(new TextEncoder().encode(secret));
  const connect = (bearer: string) =>
    connectRpc(`${hub.url.replace('http', 'ws')}/v1/ws?access_token=${bearer}`);
  const api = (bearer: string, path: string, body?: object) =>
    fetch(`${hub.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });

  beforeAll(async () => {
    file = await temporaryDatabase();
    hub = await startTestHub({
      HUB_DB_URL: file.url,
      HUB_AUTH: 'jwt',
      HUB_JWT_SECRET: secret,
    });
  });
  afterAll(async () => {
    await hub?.close();
    await file?.remove();
  });

  it('is the claim `kind`, also for an admin, and on_behalf_of is in the origin', async () => {
    const admin = await connect(await token({ sub: 'root', role: 'admin', kind: 'service' }));
    expect(admin.welcome.kind).toBe('service');
    const channelId = 'claims';
    await admin.call('channel.create', { channelId, name: 'Claims' });
    await admin.call('subscribe', { topics: [{ channelId }] });
    await admin.call('member.add', { channelId, agentId: 'bot' });
    const bot = await connect(await token({ sub: 'bot', on_behalf_of: 'carol@example.org' }));
    await bot.call('message.send', { channelId, content: 'hi' });
    expect(await admin.event(isMessage('hi'))).toMatchObject({
      senderKind: 'agent',
      event: {
        message: {
          origin: { via: 'ws', onBehalfOf: 'carol@example.org', cause: [], taint: [] },
        },
      },
    });
    await Promise.all([admin.close(), bot.close()]);
  });

  it('with an unknown value is 401, and so is a principal that is not an id', async () => {
    for (const claims of [{ kind: 'human' }, { kind: 1 }, { on_behalf_of: 'a b' }]) {
      const response = await api(await token({ sub: 'eve', ...claims }), '/v1/channels');
      expect(response.status).toBe(401);
    }
  });

  it('is minted with a token', async () => {
    const admin = await token({ sub: 'root', role: 'admin' });
    const minted = await api(admin, '/v1/tokens', { sub: 'dora', kind: 'person' });
    expect(minted.status).toBe(201);
    const dora = await connect(((await minted.json()) as { token: string }).token);
    expect(dora.welcome.kind).toBe('person');
    await dora.close();
    expect((await api(admin, '/v1/tokens', { sub: 'dora', kind: 'hub' })).status).toBe(400);
  });
});
