import { describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  hubMetric,
  signToken,
  startHub,
  startPostgres,
  startRedis,
  waitFor,
} from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const postgres = closeAfterAll(await startPostgres());
const redis = closeAfterAll(await startRedis());
const hub = closeAfterAll(
  await startHub({
    env: {
      NODE_ENV: 'production',
      HUB_HOST: '127.0.0.1',
      HUB_DB_URL: postgres.url.replace('hub@', 'hub:pa55word@'),
      HUB_JWT_SECRET: secret,
      HUB_FUTURE_OPTION: '1',
      REDIS_URL: redis.url,
      LOG_LEVEL: 'info',
    },
  }),
);

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}
const [info, warning] = [30, 40];

const lines = () =>
  hub
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const linesWith = (message: RegExp) => lines().filter(({ msg }) => message.test(msg));

const authorization = `Bearer ${signToken(secret, 'ana')}`;
const request = (path: string, headers: Record<string, string> = {}, body?: object) =>
  fetch(`${hub.httpUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
const database = async () => {
  const body = (await (await fetch(`${hub.httpUrl}/readyz`)).json()) as {
    database: { status: string };
  };
  return body.database.status;
};

describe('the log of a hub in production', () => {
  it('is JSON, names the hub on every line, and begins with version and configuration', () => {
    const hubId = lines()[0]?.['hubId'];
    expect(hubId).toMatch(/^hub-/);
    expect(lines().filter((line) => line['hubId'] !== hubId)).toEqual([]);
    expect(lines()[0]).toMatchObject({
      level: info,
      msg: 'the hub starts',
      version: '0.1.0',
      config: {
        databaseUrl: expect.stringContaining('hub:***@127.0.0.1'),
        auth: { mode: 'jwt', secrets: ['[set]'] },
      },
    });
    expect(hub.output()).not.toContain(secret);
    expect(hub.output()).not.toContain('pa55word');
    expect(linesWith(/does not know these variables/)).toMatchObject([
      { level: warning, names: ['HUB_FUTURE_OPTION'] },
    ]);
  });

  it('says why sign-ins fail, without the token, at a bounded rate', async () => {
    const token = signToken('another-secret-of-more-than-32-characters', 'eve');
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const { status, headers } = await request('/v1/channels', {
        authorization: `Bearer ${token}`,
        'x-request-id': `try-${attempt}`,
        traceparent: `00-${trace}-00f067aa0ba902b7-01`,
      });
      expect([status, headers.get('x-request-id')]).toEqual([401, `try-${attempt}`]);
    }
    const failed = linesWith(/a sign-in over rest failed: unauthorized/);
    expect(failed[0]).toMatchObject({
      level: warning,
      address: '127.0.0.1',
      reason: 'the signature of the token does not match a key of this hub',
      requestId: 'try-0',
      traceId: trace,
      parentSpanId: '00f067aa0ba902b7',
    });
    expect(failed.length).toBeLessThan(20);
    expect(hub.output()).not.toContain(token);
  });

  it('creates a request id when the client sends none, or an invalid one', async () => {
    const made = (await request('/v1/channels')).headers.get('x-request-id');
    expect(made).toMatch(/^[\da-f-]{36}$/);
    for (const bad of ['two words', 'x'.repeat(129), '"quoted"']) {
      const { headers } = await request('/v1/channels', { 'x-request-id': bad });
      expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    }
    const socket = await connectRpc(`${hub.url}/v1/ws`, {
      headers: { authorization: 'Bearer wrong', 'x-request-id': 'upgrade-1' },
      protocols: ['other'],
    }).catch((error: unknown) => error);
    expect(socket).toBeInstanceOf(Error);
    await waitFor(() => linesWith(/a sign-in over ws failed: unauthorized/).length > 0);
    expect(linesWith(/a sign-in over ws failed/)[0]).toMatchObject({ requestId: 'upgrade-1' });
  });

  // The fault: PostgreSQL was down and every send was answered with 503, but nothing was logged.
  it('says once that the database is down and why, and once that it answers again', async () => {
    const ana = await connectRpc(`${hub.url}/v1/ws`, { headers: { authorization } });
    const channelId = 'ops';
    await ana.call('channel.create', { channelId, name: 'Ops' });
    const failures = () => hubMetric(hub, 'hub_database_failures_total{code="unavailable"}');
    expect(linesWith(/^the database/)).toEqual([]);
    expect(await hubMetric(hub, 'hub_database_up')).toBe(1);
    const before = (await failures()) ?? NaN;

    await postgres.kill();
    const downAtMs = Date.now();
    await waitFor(async () => (await hubMetric(hub, 'hub_database_up')) === 0, {
      what: 'the metric',
    });
    expect(Date.now() - downAtMs).toBeLessThan(2_000);
    for (let send = 0; send < 30; send += 1) {
      const refused = await ana
        .call('message.send', { channelId, content: 'x' })
        .catch((error: { code: string }) => error.code);
      expect(refused).toBe('unavailable');
    }
    expect((await request('/v1/call/message.send', {}, { channelId, content: 'x' })).status).toBe(
      503,
    );
    expect(((await failures()) ?? NaN) - before).toBeGreaterThan(30);
    expect(linesWith(/^the database/)).toMatchObject([
      {
        level: warning,
        msg: 'the database is down',
        code: 'unavailable',
        reason: expect.stringContaining('does not answer'),
      },
    ]);

    await postgres.restart();
    const upAtMs = Date.now();
    await waitFor(async () => (await hubMetric(hub, 'hub_database_up')) === 1, {
      what: 'the metric',
    });
    expect(Date.now() - upAtMs).toBeLessThan(4_000);
    await waitFor(async () => (await database()) === 'ok');
    const [, back, ...more] = linesWith(/^the database/);
    expect([back, more]).toMatchObject([{ level: warning, msg: 'the database answers again' }, []]);
    expect(Math.abs(Number(back?.['downMs']) - (Date.now() - downAtMs))).toBeLessThan(5_000);
    await ana.close();
  });

  it('says once that Redis is away and why, and once that it is back', async () => {
    const changes = () => linesWith(/^Redis is/).filter(({ level }) => level === warning);
    const before = changes().length;
    await redis.kill();
    await waitFor(async () => (await hubMetric(hub, 'hub_redis_available')) === 0);
    await redis.restart();
    await waitFor(async () => (await hubMetric(hub, 'hub_redis_available')) === 1);
    expect(changes().slice(before)).toMatchObject([
      { msg: 'Redis is unavailable', reason: expect.any(String) },
      { msg: 'Redis is available', downMs: expect.any(Number) },
    ]);
  });
});
