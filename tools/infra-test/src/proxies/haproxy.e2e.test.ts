import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  freePort,
  startHub,
  startProcess,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { join } from 'node:path';
import { isOnPath, runChecker } from '../checkers.ts';
import { root } from '../repository.ts';

const configuration = join(root, 'infra/proxy/haproxy.cfg');

(isOnPath('haproxy') ? describe : describe.skip)('haproxy.cfg (needs haproxy)', () => {
  const scope = suiteScope();
  let hubs: HubProcess[];
  let opsPorts: number[];
  let port: number;
  let environment: NodeJS.ProcessEnv;
  const up = () => fetch(`http://127.0.0.1:${port}/healthz`).then(({ status }) => status);

  const metric = async (opsPort: number | undefined, name: string) => {
    // Otherwise `fetch` might reuse a connection to the process that ran before the restart.
    const headers = { connection: 'close' };
    const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`, { headers })).text();
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  };

  beforeAll(async () => {
    port = await freePort();
    opsPorts = [await freePort(), await freePort()];
    hubs = await Promise.all(
      opsPorts.map((ops) => scope.use(startHub({ env: { HUB_OPS_PORT: String(ops) } }))),
    );
    environment = {
      PATH: process.env['PATH'],
      BALANCER_BIND: `127.0.0.1:${port}`,
      ...Object.fromEntries(
        hubs.flatMap((hub, index) => [
          [`HUB_${index + 1}`, `127.0.0.1:${hub.port}`],
          [`HUB_${index + 1}_OPS_PORT`, String(opsPorts[index])],
        ]),
      ),
    };
    const haproxy = startProcess('haproxy', ['-f', configuration], { env: environment });
    scope.defer(() => haproxy.stop('SIGKILL'));
    await waitFor(async () => (await up().catch(() => 0)) === 200, {
      what: `haproxy: ${haproxy.output()}`,
    });
  });

  it('has no warning', async () => {
    const checked = await runChecker('haproxy', ['-c', '-f', configuration], { env: environment });
    expect(checked).toEqual({ code: 0, output: 'Configuration file is valid\n' });
  });

  it('passes WebSockets to both hubs, and keeps readiness and metrics from clients', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        connectRpc(`ws://127.0.0.1:${port}/v1/ws?agent=agent-${index}`),
      ),
    );
    const socketsOf = await Promise.all(opsPorts.map((ops) => metric(ops, 'hub_sockets')));
    // The balancer may count simultaneous clients late, so the shares need not be equal.
    expect(Math.min(...socketsOf)).toBeGreaterThan(0);
    expect(socketsOf.reduce((sum, sockets) => sum + sockets)).toBe(4);
    for (const path of ['/readyz', '/metrics']) {
      expect([path, (await fetch(`http://127.0.0.1:${port}${path}`)).status]).toEqual([path, 404]);
    }
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  it('serves every request while a hub drains and ends, and uses the hub again when it is back', async () => {
    const [first] = hubs as [HubProcess];
    let isGone = false;
    const gone = first.end('SIGTERM').then((code) => {
      isGone = true;
      return code;
    });
    const statuses = new Set<number>();
    await waitFor(
      async () => {
        statuses.add(await up());
        return isGone;
      },
      { what: 'the drained hub', timeoutMs: 30_000 },
    );
    expect(await gone).toBe(0);
    statuses.add(await up());
    expect([...statuses]).toEqual([200]);
    await first.restart();
    await waitFor(
      async () => {
        await up();
        return (await metric(opsPorts[0], 'hub_connections')) > 0;
      },
      { what: 'requests at the hub that is back' },
    );
  });
});
