import { describe, expect, it } from '@jest/globals';
import { connectRpc, sendRaw, startPostgres, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub } from '../testing/test-hub.ts';
const redisPort = 1;
const postgres = closeAfterAll(await startPostgres());
const hub = closeAfterAll(
  await startTestHub({
    HUB_DB_URL: postgres.url,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    LOG_LEVEL: 'silent',
  }),
);

function expectNoNames(text: string): void {
  expect(text).not.toMatch(/127\.0\.0\.1|localhost|postgres|sqlite|redis:\/\/|\/hub\b|ioredis/i);
  expect(text).not.toMatch(/ECONN|ENOTFOUND|EAI_/);
  expect(text).not.toContain(String(postgres.port));
}

describe('while the database is away', () => {
  it('no error, close reason or readiness report names it', async () => {
    const ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'c', name: 'C' });
    await postgres.kill();
    const calls: [string, object][] = [
      ['message.send', { channelId: 'c', content: 'x' }],
      ['channel.get', { channelId: 'c' }],
      ['subscribe', { topics: [{ channelId: 'c' }] }],
      ['log.read', { channelId: 'c', after: 0, limit: 10 }],
    ];
    const outcomes = await Promise.all(
      calls.map(([method, params]) => ana.call(method, params).catch((error: unknown) => error)),
    );
    const texts = outcomes.map((outcome) =>
      outcome instanceof Error ? outcome.message : JSON.stringify(outcome),
    );
    // Negative control: the calls were refused because of the database.
    expect(texts.join('\n')).toMatch(/unavailable|timeout/);
    for (const text of texts) expectNoNames(text);

    const port = Number(new URL(hub.url).port);
    for (const line of [
      'GET /v1/channels?agent=ana',
      'GET /v1/channels/c/messages?agent=ana',
      'GET /readyz',
      'GET /healthz',
    ]) {
      const { status, body } = await sendRaw(
        port,
        `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        { timeoutMs: 15_000 },
      );
      expect(status).toBe(/healthz|readyz/.test(line) ? 200 : 503);
      expectNoNames(body);
    }

    const late = await connectRpc(`${hub.wsUrl}?agent=ben`, {
      waitForWelcome: false,
    });
    const { code, reason } = await late.closed;
    expect(code).toBe(4503);
    expectNoNames(reason);
    await ana.close();
    await postgres.restart();
    const report = async () =>
      (await (await fetch(`${hub.url}/readyz`)).json()) as { database: { status: string } };
    await waitFor(async () => (await report()).database.status === 'ok', { what: 'the database' });
  });
});

describe('the metric of closed connections', () => {
  // The fault: each close code that a client invents created another series in Prometheus.
  it('has no label that a client chose', async () => {
    for (const code of [4777, 3123, 4403, 1000]) {
      const socket = await connectRpc(`${hub.wsUrl}?agent=eve`, {
        waitForWelcome: false,
      });
      socket.ws.close(code, 'mine');
      await socket.closed;
    }
    const series = await waitFor(async () => {
      const text = await (await fetch(`${hub.url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith('hub_closed_connections'));
      return lines.some((line) => line.includes('code="1000"')) && lines;
    });
    expect(series.join('\n')).not.toMatch(/4777|3123/);
    expect(series.join('\n')).toMatch(/code="4403"} 0$/m);
    expect(series.join('\n')).toMatch(/code="other"} [1-9]/);
  });
});
