import { join } from 'node:path';
import { connectRpc, type RpcSocket } from '@openclaw/test-support';
import { answersOk, startServer } from './server-process.ts';
import type { Membership, System } from './system.ts';

export interface HubSystemOptions {
  readonly name: string;
  /** The folder is the root of a checkout with its dependencies. */
  readonly folder: string;
  /** Node runs this file, whose path is relative to the checkout. */
  readonly program: string;
  readonly nodeFlags: readonly string[];
  /** @default a new SQLite file */
  readonly databaseUrl?: string;
}

const unlimited = '100000000/1';
const callsAtOnce = 50;

export function hubSystem(options: HubSystemOptions): System {
  const { name, folder, program, nodeFlags, databaseUrl } = options;
  return {
    name,
    dialect: 'hub',
    description: 'rights checked, each message committed to SQLite with synchronous=FULL',
    start: (redis) =>
      startServer(
        {
          command: process.execPath,
          args: () => [
            '--conditions=@openclaw/source',
            '--disable-warning=ExperimentalWarning',
            ...nodeFlags,
            join(folder, program),
          ],
          env: (place) => ({
            HUB_PORT: String(place.port),
            HUB_DB_URL: databaseUrl ?? `sqlite:${join(place.folder, 'hub.sqlite')}`,
            REDIS_URL: redis.url,
            HUB_AUTH: 'dev',
            HUB_LIMIT_MESSAGE: unlimited,
            HUB_LIMIT_CREATE: unlimited,
            HUB_LIMIT_CALLS: unlimited,
            HUB_AGENT_LOOP: '0',
            HUB_AGENT_TURNS: '0',
            LOG_LEVEL: 'error',
          }),
          isReady: ({ port }) => answersOk(port, '/readyz'),
        },
        redis,
      ),
    prepare: ({ port }, members) => createChannels(port, members),
  };
}

/** Agents may not join private channels themselves, so one owner adds them. */
async function createChannels(port: number, members: readonly Membership[]): Promise<void> {
  await using owner = await connectRpc(`ws://127.0.0.1:${port}/v1/ws?agent=owner`);
  const channelIds = new Set(members.flatMap((member) => member.channelIds));
  for (const channelId of channelIds)
    await owner.call('channel.create', { channelId, name: channelId, kind: 'private' });
  await callAll(
    owner,
    members.flatMap(({ agentId, channelIds: joined }) =>
      joined.map((channelId) => ({ channelId, agentId })),
    ),
  );
}

async function callAll(owner: RpcSocket, additions: readonly object[]): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let one = additions[next++]; one; one = additions[next++])
      await owner.call('member.add', one);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, work));
}
