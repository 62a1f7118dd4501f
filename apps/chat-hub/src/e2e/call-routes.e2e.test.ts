import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methods, type MethodDefinition } from '@openclaw/protocol';
import { waitFor } from '@openclaw/test-support';
import {
  startTestHub,
  temporaryDatabase,
  type TestDatabase,
  type TestHub,
} from '../testing/test-hub.ts';

let database: TestDatabase;
let hub: TestHub;

beforeAll(async () => {
  database = await temporaryDatabase();
  hub = await startTestHub({ HUB_DB_URL: database.url, HUB_LIMIT_REACTION: '2/60' });
  // The examples use the channel `ops`, and one of them deletes it. So the other tests use `team`.
  await call('ana', 'channel.create', { channelId: 'ops', name: 'Operations' });
  await call('ana', 'channel.create', { channelId: 'team', name: 'Team' });
  await call('ana', 'member.add', { channelId: 'team', agentId: 'ben' });
});
afterAll(async () => {
  await hub?.close();
  await database?.remove();
});

const call = (agentId: string, method: string, params?: unknown) =>
  hub.request(agentId, 'POST', `/v1/call/${method}`, params);

async function counted(method: string, transport: string, outcome: string): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  const labels = `method="${method}",transport="${transport}",outcome="${outcome}"`;
  return Number(new RegExp(`^hub_calls_total{${labels}} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

const documented = Object.entries<MethodDefinition>(methods);
const socketMethods = documented.filter(([, { kind }]) => kind === 'socket');
const otherMethods = documented.filter(([, { kind }]) => kind !== 'socket');

describe('POST /v1/call/{method}', () => {
  // The caller is an admin and a person, so no call is refused for a missing right. The examples name messages that do
  // not exist here, so some methods answer with one of their refusals.
  it.each(otherMethods)(
    'takes the params of %s and answers with its result or one of its refusals',
    async (name, { examples, result, errors }) => {
      const { status, body } = await hub.request(
        'root',
        'POST',
        `/v1/call/${name}?role=admin&kind=person`,
        examples[0].params,
      );
      if (status === 200) expect(result.safeParse(body).error).toBeUndefined();
      else expect(errors).toContain(body.error.code);
    },
  );

  it.each(socketMethods)('answers %s, which needs a socket, with 422', async (name, definition) => {
    expect(await call('ana', name, definition.examples[0].params)).toMatchObject({
      status: 422,
      body: { error: { code: 'unsupported' } },
    });
  });

  it('needs no body where no param is required', async () => {
    expect(await call('ana', 'ping')).toMatchObject({
      status: 200,
      body: { timestamp: expect.any(Number) },
    });
  });

  it.each([
    ['no.such', {}, 404, 'method_not_found'],
    ['__proto__', {}, 404, 'method_not_found'],
    ['channel.get', { channelId: 'nowhere' }, 404, 'not_found'],
    ['channel.get', { channelId: 'a:b' }, 400, 'invalid_params'],
    ['channel.get', { channelId: 'team', extra: 1 }, 400, 'invalid_params'],
    ['channel.get', [], 400, 'invalid_params'],
    ['channel.get', { channelId: ['team'] }, 400, 'invalid_params'],
    ['message.send', { channelId: 'team', content: 'x'.repeat(40_000) }, 413, 'too_large'],
  ])('answers %s %j with %i %s', async (method, params, status, code) => {
    expect(await call('ana', method, params)).toMatchObject({ status, body: { error: { code } } });
  });

  it('names in OpenAPI every method once, with its params, and those that need a socket', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    };
    const called = Object.keys(document.paths).filter((path) => path.startsWith('/v1/call/'));
    expect(called).toEqual(documented.map(([name]) => `/v1/call/${name}`));
    const ids = Object.values(document.paths).flatMap((verbs) =>
      Object.values(verbs).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const subscribe = document.paths['/v1/call/subscribe']?.['post'];
    expect(subscribe).toMatchObject({ summary: expect.stringContaining('unsupported') });
    expect(Object.keys(subscribe?.responses ?? {})).toEqual(['4XX', '5XX']);
  });
});

describe('hub_calls_total', () => {
  it.each(['ws', 'rest'] as const)('counts calls over %s, answered and refused', async (via) => {
    const socket = await hub.connect('ben');
    const send = async (method: string, params: object) => {
      if (via === 'rest') await call('ben', method, params);
      else await socket.call(method, params).catch(() => undefined);
    };
    const { messageId } = await socket.call('message.send', { channelId: 'team', content: 'hi' });
    const outcomes = [
      ['message.send', 'ok'],
      ['message.send', 'not_found'],
      ['message.send', 'invalid_params'],
      ['message.send', 'too_large'],
      ['unknown', 'method_not_found'],
      ['reaction.add', 'rate_limited'],
    ] as const;
    const count = () =>
      Promise.all(outcomes.map(([method, outcome]) => counted(method, via, outcome)));
    const before = await count();
    await send('message.send', { channelId: 'team', content: 'x' });
    await send('message.send', { channelId: 'nowhere', content: 'x' });
    await send('message.send', { channelId: 'team' });
    await send('message.send', { channelId: 'team', content: 'x'.repeat(40_000) });
    await send('no.such', {});
    const reaction = { channelId: 'team', messageId };
    for (const emoji of ['a', 'b', 'c']) await send('reaction.add', { ...reaction, emoji });
    const after = await count();
    const [first, ...rises] = after.map((value, index) => value - (before[index] ?? 0));
    expect([first, ...rises.slice(0, 4)]).toEqual([1, 1, 1, 1, 1]);
    expect(rises.at(-1)).toBeGreaterThan(0);
    await socket.close();
  });

  it('counts the resource paths under their methods', async () => {
    const before = await counted('message.history', 'rest', 'ok');
    await hub.request('ana', 'GET', '/v1/channels/team/messages');
    expect((await counted('message.history', 'rest', 'ok')) - before).toBe(1);
  });

  it('counts REST calls that are refused before they are read', async () => {
    const before = await counted('message.send', 'rest', 'invalid_request');
    const path = `${hub.url}/v1/call/message.send`;
    const headers = { 'content-type': 'application/json' };
    await fetch(`${path}?agent=ana`, { method: 'POST', headers, body: '{' });
    await fetch(path, { method: 'POST', headers, body: '{}' });
    await waitFor(
      async () =>
        (await counted('message.send', 'rest', 'invalid_request')) === before + 1 &&
        (await counted('message.send', 'rest', 'unauthorized')) === 1,
      { what: 'both to be counted' },
    );
  });
});
