import { describe, expect, it } from '@jest/globals';
import { freePort, startPostgres, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, type TestHub } from '../testing/test-hub.ts';

const postgres = closeAfterAll(await startPostgres());

const statusAt = (port: number, path: string) =>
  fetch(`http://127.0.0.1:${port}${path}`).then(
    async (answer) => ({ status: answer.status, body: await answer.text() }),
    () => null,
  );
const isStarting = async (port: number) =>
  (await statusAt(port, '/healthz'))?.body.includes('starting') ?? false;
const isReady = async (port: number) => (await statusAt(port, '/readyz'))?.status === 200;

describe('a hub that starts without its PostgreSQL', () => {
  it.each(['one port', 'an operations port'])(
    'waits alive and unready, and is ready within 2 s of its return: %s',
    async (ports) => {
      await postgres.kill();
      let isBack = false;
      const bringBack = async () => {
        if (!isBack) await postgres.restart();
        isBack = true;
      };
      const [port, opsPort] = [await freePort(), await freePort()];
      const hasOpsPort = ports !== 'one port';
      const starting = startTestHub({
        HUB_DB_URL: postgres.url,
        HUB_PORT: String(port),
        ...(hasOpsPort && { HUB_OPS_PORT: String(opsPort) }),
        LOG_LEVEL: 'silent',
      });
      const probed = hasOpsPort ? opsPort : port;
      let hub: TestHub | undefined;
      try {
        await waitFor(() => isStarting(port), { what: 'a hub that waits' });
        const { status, body } = (await statusAt(probed, '/readyz'))!;
        expect(status).toBe(503);
        expect(JSON.parse(body)).toMatchObject({ ready: false, state: 'starting' });
        const metrics = (await statusAt(probed, '/metrics'))?.body;
        expect(metrics).toContain('hub_state{state="starting"} 1');
        expect(metrics).toContain('hub_database_up 0');
        expect(await statusAt(port, '/v1/channels?agent=ana')).toMatchObject({
          status: 503,
          body: expect.stringContaining('the hub is starting'),
        });
        const sockets = new WebSocket(`ws://127.0.0.1:${port}/v1/ws?agent=ana`, 'openclaw.v1');
        await new Promise((resolve) => sockets.addEventListener('error', resolve, { once: true }));

        await bringBack();
        const backAtMs = Date.now();
        await waitFor(() => isReady(probed), { what: 'a ready hub' });
        expect(Date.now() - backAtMs).toBeLessThan(2_000);
        hub = await starting;
        expect(new URL(hub.url).port).toBe(String(port));
        await using ana = await hub.connect('ana');
        expect(await ana.call('ping', {})).toMatchObject({ timestamp: expect.any(Number) });
      } finally {
        await bringBack();
        hub ??= await starting;
        await hub.close();
      }
    },
  );

  it('gives up after HUB_START_TIMEOUT_MS, and frees its port', async () => {
    const [port, away] = [await freePort(), await freePort()];
    const startMs = performance.now();
    const starting = startTestHub({
      HUB_DB_URL: `postgres://hub@127.0.0.1:${away}/hub`,
      HUB_PORT: String(port),
      HUB_START_TIMEOUT_MS: '1500',
      LOG_LEVEL: 'silent',
    });
    await expect(starting).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - startMs).toBeGreaterThan(1_500);
    expect(await statusAt(port, '/healthz')).toBeNull();
  });
});
