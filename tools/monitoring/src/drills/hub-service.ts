import { setTimeout as delay } from 'node:timers/promises';
import { startHub, type HubProcess } from '@openclaw/test-support';
import type { Service } from './compose-stub.ts';

type Environment = Readonly<Record<string, string>>;

export interface HubService extends Service, AsyncDisposable {
  readonly hub: HubProcess;
  /** The address is the `host:port` of /readyz and /metrics. */
  readonly opsAddress: string;
  /** Restarts the hub with its fixed variables and `env`. The next call replaces `env`. */
  configure(env: Environment): Promise<void>;
  kill(): Promise<void>;
}

/** Every restart uses the same ports. */
export async function startHubService(always: Environment, opsPort: number): Promise<HubService> {
  let configured: Environment = {};
  let hub = await startHub({ env: always });
  const { port } = hub;
  let starting: Promise<void> | null = null;
  const isAlive = () => {
    try {
      process.kill(hub.pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  function start(env: Environment): Promise<void> {
    starting ??= startHub({ port, env: { ...always, ...configured, ...env } })
      .then((started) => void (hub = started))
      .finally(() => (starting = null));
    return starting;
  }

  async function restart(env: Environment = {}, graceMs = 0): Promise<void> {
    const endMs = Date.now() + graceMs;
    // As with Docker, a frozen process does not see this signal, so it is killed when `graceMs` have passed.
    if (graceMs > 0 && isAlive()) process.kill(hub.pid, 'SIGTERM');
    while (isAlive() && Date.now() < endMs) await delay(50);
    await hub.kill();
    await start(env);
  }

  return {
    get hub() {
      return hub;
    },
    opsAddress: `127.0.0.1:${opsPort}`,
    async up(env) {
      if (starting) return starting;
      if (isAlive() && Object.keys(env).length === 0) return;
      await restart(env);
    },
    restart: (graceMs) => restart({}, graceMs),
    output: () => hub.output(),
    async configure(env) {
      configured = env;
      await restart();
    },
    kill: () => hub.kill(),
    async [Symbol.asyncDispose]() {
      await starting?.catch(() => undefined);
      await hub.kill();
      await hub.stop();
    },
  };
}
