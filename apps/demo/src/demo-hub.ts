import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hubEnvironment } from './config.ts';

export interface DemoHub {
  readonly url: string;
  /** Resolves with the last part of the hub's output when its process has exited. */
  readonly exited: Promise<string>;
  /** Sends SIGTERM, then SIGKILL if the hub does not exit in time. */
  stop(): Promise<void>;
}

export interface DemoHubOptions {
  /** Null means 8080, or a free port when that is taken. */
  readonly port: number | null;
  readonly dataFile: string;
}

/** Thrown when the demo has no hub. The message has the last output of a hub that did not start. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
  readonly code = 'hub_not_started';
}

// The IPC channel closes even when this process is killed, so the hub never outlives this process.
const exitWithParent = `data:text/javascript,${encodeURIComponent(
  "process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))",
)}`;
const main = resolve(fileURLToPath(import.meta.url), '../../../chat-hub/src/main.ts');
const defaultPort = 8080;
const startTimeoutMs = 30_000;
const stopTimeoutMs = 25_000;
const pollMs = 50;
const maxOutputChars = 4_096;

/** Uses dev sign-in, and waits until the hub answers. @throws {DemoError} */
export async function startDemoHub({ port, dataFile }: DemoHubOptions): Promise<DemoHub> {
  const chosen = port ?? (await bindOnce(defaultPort).catch(() => bindOnce(0)));
  const url = `http://127.0.0.1:${chosen}`;
  const child = spawn(
    process.execPath,
    [
      '--conditions=@openclaw/source',
      '--disable-warning=ExperimentalWarning',
      '--import',
      exitWithParent,
      main,
    ],
    {
      env: hubEnvironment({ port: chosen, dataFile }),
      // The hub has its own process group, so that Ctrl-C reaches only the fleet. The fleet stops the hub afterwards.
      detached: true,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    },
  );
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-maxOutputChars);
  });
  let hasExited = false;
  const exited = new Promise<string>((done) => {
    const exit = (text: string) => {
      hasExited = true;
      done(text.trim());
    };
    child.once('error', (error) => exit(error.message));
    child.once('close', () => exit(output));
  });
  const killHub = () => child.kill('SIGKILL');
  process.once('exit', killHub);
  void exited.then(() => process.off('exit', killHub));

  async function stop(): Promise<void> {
    if (hasExited) return;
    child.kill('SIGTERM');
    const timer = setTimeout(killHub, stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  }

  for (const endMs = Date.now() + startTimeoutMs; !(await isHealthy(url)); await delay(pollMs)) {
    if (!hasExited && Date.now() < endMs) continue;
    await stop();
    throw new DemoError(`the hub did not start: ${await exited}`);
  }
  return { url, exited, stop };
}

export async function isHealthy(url: string): Promise<boolean> {
  try {
    const address = new URL('/healthz', url.replace(/^ws/, 'http'));
    const answer = await fetch(address, { signal: AbortSignal.timeout(2_000) });
    // A hub that waits for its database is alive, but refuses all clients.
    return ((await answer.json()) as { status: string }).status === 'ok';
  } catch {
    return false;
  }
}

/** Resolves with the port once it is free again; 0 chooses any free port. Rejects when the port is taken. */
function bindOnce(port: number): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
