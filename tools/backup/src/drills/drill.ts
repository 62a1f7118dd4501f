import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { createClient, type Discontinuity, type HubClient } from '@openclaw/client';
import {
  connectRpc,
  readLog,
  startProcess,
  waitFor,
  type HubProcess,
  type LoggedEnvelope,
  type RpcSocket,
  type ServerProcess,
} from '@openclaw/test-support';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): ServerProcess {
  const { PATH, HOME, TMPDIR } = process.env;
  return startProcess(
    process.execPath,
    ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning', main, ...args],
    { env: { PATH, HOME, TMPDIR, REDIS_URL: 'redis://127.0.0.1:1', ...environment } },
  );
}

export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const process = startCommand(args, environment);
  const code = await process.exited;
  return { code, output: process.output() };
}

export async function succeed(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, output } = await run(args, environment);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${output}`);
  return output.trim().split('\n').at(-1) ?? '';
}

export const channelId = 'drill';

/** Ana writes over a bare socket; Ben follows with the SDK, over restarts of the hub. */
export interface Fleet extends AsyncDisposable {
  readonly ana: RpcSocket;
  readonly ben: HubClient;
  readonly received: readonly string[];
  readonly discontinuities: readonly Discontinuity[];
  /** Waits for the ack. Resolves with the time that it took, in ms. */
  send(content: string): Promise<number>;
  /** Call it after a restart of the hub. */
  reconnect(): Promise<void>;
  log(): Promise<LoggedEnvelope[]>;
}

export async function openFleet(hub: HubProcess): Promise<Fleet> {
  const connect = (agentId: string) => connectRpc(`${hub.url}/v1/ws?agent=${agentId}`);
  let ana = await connect('ana');
  await ana.call('channel.create', { channelId, name: channelId });
  await ana.call('member.add', { channelId, agentId: 'ben' });
  const ben = createClient({ url: hub.url, agent: 'ben', backoffMinMs: 50, backoffMaxMs: 500 });
  const received: string[] = [];
  const discontinuities: Discontinuity[] = [];
  const channel = ben.channel(channelId);
  channel.on('channel.message', ({ message }) => void received.push(message.content));
  channel.on('discontinuity', (told) => void discontinuities.push(told));
  await channel.subscribe({ since: 0 });
  return {
    get ana() {
      return ana;
    },
    ben,
    received,
    discontinuities,
    async send(content) {
      const startedMs = performance.now();
      await ana.call('message.send', { channelId, content });
      return performance.now() - startedMs;
    },
    async reconnect() {
      ana = await connect('ana');
    },
    log: () => readLog(ana, channelId),
    async [Symbol.asyncDispose]() {
      await ben.close();
      await ana.close();
    },
  };
}

export interface BackupUnderLoad {
  readonly archive: string;
  readonly acked: number;
  /** The number of events when the backup had ended. */
  readonly during: number;
  /** The log from before the restore. Its last messages were sent after the backup. */
  readonly former: readonly LoggedEnvelope[];
  readonly epoch: string;
}

const lostContents = Array.from({ length: 10 }, (_, n) => `lost ${n}`);

/** Sends messages before, during and after a backup. `addBallast` makes the backup take a while. */
export async function backUpUnderLoad(
  fleet: Fleet,
  to: string,
  env: Readonly<Record<string, string>>,
  addBallast: () => void,
): Promise<BackupUnderLoad> {
  for (let n = 0; n < 20; n++) await fleet.send(`before ${n}`);
  addBallast();
  const acked = (await fleet.log()).length;
  let isDone = false;
  const backup = succeed(['backup', '--to', to], env).finally(() => (isDone = true));
  let slowestMs = 0;
  for (let n = 0; !isDone; n++) slowestMs = Math.max(slowestMs, await fleet.send(`during ${n}`));
  const archive = await backup;
  // If the copy held a write lock, a message would wait for the hub's lock timeout of 2 s.
  expect(slowestMs).toBeLessThan(1500);
  const during = (await fleet.log()).length;
  expect(during).toBeGreaterThan(acked);
  for (const content of lostContents) await fleet.send(content);
  return {
    archive,
    acked,
    during,
    former: await fleet.log(),
    epoch: fleet.ben.welcome?.epoch ?? '',
  };
}

/**
 * Expects that the log ends at a seq from the time of the backup, and that clients notice the new epoch. Call it when
 * the hub runs.
 */
export async function expectRestored(
  fleet: Fleet,
  { archive, acked, during, former, epoch }: BackupUnderLoad,
) {
  await fleet.reconnect();
  const restored = await fleet.log();
  expect(restored.length).toBeGreaterThanOrEqual(acked);
  expect(restored.length).toBeLessThanOrEqual(during);
  const contents = lostOf(former, restored).map(({ event }) => String(event.message?.content));
  expect(contents.slice(-lostContents.length)).toEqual(lostContents);
  const manifest = JSON.parse(await readFile(join(archive, 'manifest.json'), 'utf8'));
  expect(manifest.ledger.events).toBe(restored.length);
  await expectResync(fleet, epoch, restored);
  return { restored, manifest };
}

/** Expects that Ben notices the new epoch by himself, reads the restored log, and gets new messages. */
export async function expectResync(
  fleet: Fleet,
  formerEpoch: string,
  restored: readonly LoggedEnvelope[],
): Promise<void> {
  const { ben, discontinuities, received } = fleet;
  await waitFor(() => discontinuities.some(({ reason }) => reason === 'epoch'), {
    what: `a discontinuity by the epoch, not ${JSON.stringify(discontinuities)}`,
    timeoutMs: 30_000,
  });
  if (ben.welcome?.epoch === formerEpoch) throw new Error('the epoch is still the former one');
  const { messages } = await ben.channel(channelId).history({ limit: 200 });
  const kept = restored.filter(({ event }) => event.type === 'channel.message');
  const [found, wanted] = [messages.map(({ id }) => id), kept.map(({ event }) => event.message.id)];
  if (JSON.stringify(found) !== JSON.stringify(wanted.slice(-200)))
    throw new Error('the client reads another log');
  const last = `after the restore ${performance.now()}`;
  await fleet.send(last);
  await waitFor(() => received.at(-1) === last, { what: 'the next message at the client' });
}

/** Expects that the restored log is the beginning of the former log. Returns the rest of the former log. */
export function lostOf(
  before: readonly LoggedEnvelope[],
  restored: readonly LoggedEnvelope[],
): LoggedEnvelope[] {
  const begin = before.slice(0, restored.length);
  if (JSON.stringify(begin) !== JSON.stringify(restored.map(withoutEpoch(begin[0]))))
    throw new Error('the restored log is not the beginning of the former one');
  return before.slice(restored.length);
}

// The epoch is part of an envelope, and differs by design.
function withoutEpoch(sample: LoggedEnvelope | undefined) {
  const epoch = (sample as { epoch?: string } | undefined)?.epoch;
  return (envelope: LoggedEnvelope) => ({ ...envelope, ...(epoch !== undefined && { epoch }) });
}
