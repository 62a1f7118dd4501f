import { startHub, type HubProcess } from '@openclaw/test-support';
import type { Service } from './compose-stub.ts';

type Environment = Readonly<Record<string, string>>;

/** A hub whose variables change between its starts. */
export interface HubService extends Service, AsyncDisposable {
  readonly hub: HubProcess;
  /** Restarts the hub with its fixed variables and these, which last until the next call. */
  configure(env: Environment): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts the hub. Every restart uses the same port. */
export async function startHubService(always: Environment): Promise<HubService> {
  let configured: Environment = {};
  let hub = await startHub({ env: always });
  const { port } = hub;
  /** The restart in progress; null when there is none. */
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

  async function restart(env: Environment = {}): Promise<void> {
    await hub.kill();
    await start(env);
  }

  return {
    get hub() {
      return hub;
    },
    async up(env) {
      if (starting) return starting;
      if (isAlive() && Object.keys(env).length === 0) return;
      await restart(env);
    },
    restart: () => restart(),
    async signal(signal) {
      process.kill(hub.pid, signal);
    },
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
