import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hubEnvironment } from '../config.ts';
import { LoadgenError } from '../errors.ts';

/** The demo's own hub, a process beside this one. */
export interface DemoHub {
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** Resolves when it has ended, with what it said last. */
  readonly ended: Promise<string>;
  /** Asks it to end, and kills it when it does not. */
  stop(): Promise<void>;
}

/** Options of {@link startDemoHub}. */
export interface DemoHubOptions {
  /** A port that must be had; null for 8080, or any that is free. */
  readonly port: number | null;
  /** The SQLite file. */
  readonly dataFile: string;
}

// Also when this process is killed, and can ask nothing of anybody: the channel between the two closes with it.
const endWithParent = `data:text/javascript,${encodeURIComponent(
  "process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))",
)}`;
const main = resolve(fileURLToPath(import.meta.url), '../../../../chat-hub/src/main.ts');
const usualPort = 8080;
const startMs = 30_000;
const stopMs = 25_000;
const pollMs = 50;
const lastWordsChars = 4_096;

/** Starts the hub with dev sign-in, and waits until it answers. @throws {LoadgenError} `unreachable`, with what it said */
export async function startDemoHub({ port, dataFile }: DemoHubOptions): Promise<DemoHub> {
  const chosen = port ?? ((await isFree(usualPort)) ? usualPort : await freePort());
  const url = `http://127.0.0.1:${chosen}`;
  const flags = [
    ...['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'],
    ...['--import', endWithParent],
  ];
  const child = spawn(process.execPath, [...flags, main], {
    env: hubEnvironment({ port: chosen, dataFile }),
    // Ctrl-C reaches every process of a group: this one is to hear it once, from here, when the fleet is gone.
    detached: true,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-lastWordsChars);
  });
  let hasEnded = false;
  const ended = new Promise<string>((done) => {
    const end = (words: string) => {
      hasEnded = true;
      done(words.trim());
    };
    child.once('error', (error) => end(error.message));
    child.once('close', () => end(said));
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  void ended.then(() => process.off('exit', killWithUs));

  async function stop(): Promise<void> {
    if (hasEnded) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await ended;
    clearTimeout(timer);
  }

  for (const endMs = Date.now() + startMs; !(await answers(url)); await delay(pollMs)) {
    if (!hasEnded && Date.now() < endMs) continue;
    await stop();
    throw new LoadgenError('unreachable', `the hub did not start: ${await ended}`);
  }
  return { url, ended, stop };
}

function answers(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return listenOnce(0);
}

/** Resolves with a port that could be listened on. */
function listenOnce(port: number): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
