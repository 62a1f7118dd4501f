import type { ClusterDeployment } from './cluster.ts';
import type { RedisServer } from './redis-server.ts';

/** A slot during its move, with some keys at the source and the others at the target. */
export interface HalfMovedSlot {
  readonly source: RedisServer;
  readonly target: RedisServer;
  readonly moved: number;
  readonly stayed: number;
  /** Moves the other keys and assigns the slot at every master. */
  finish(): Promise<void>;
}

/**
 * Moves half of the keys in the slot of `key` to another master, as during a slow resharding. Until `finish`, the
 * source answers TRYAGAIN to commands on several keys of the slot, and ASK for moved keys.
 */
export async function moveSlotHalfWay(
  deployment: ClusterDeployment,
  key: string,
): Promise<HalfMovedSlot> {
  const source = await deployment.masterOf(key);
  const masters = await mastersOf(deployment);
  const target = masters.find((server) => server !== source);
  if (!target) throw new Error('there is no other master');
  const slot = (await source.command(`CLUSTER KEYSLOT ${key}`)).slice(1);
  const idOf = async (server: RedisServer) => lines(await server.command('CLUSTER MYID')).at(-1);
  const [sourceId, targetId] = [await idOf(source), await idOf(target)];
  expectOk(await target.command(`CLUSTER SETSLOT ${slot} IMPORTING ${sourceId}`));
  expectOk(await source.command(`CLUSTER SETSLOT ${slot} MIGRATING ${targetId}`));

  const keysThere = async () =>
    lines(await source.command(`CLUSTER GETKEYSINSLOT ${slot} 1000`))
      .slice(1)
      .filter((_, index) => index % 2 === 1);
  const migrate = async (names: readonly string[]) => {
    for (const name of names) {
      await source.command(`MIGRATE 127.0.0.1 ${target.port} ${name} 0 1000`);
    }
  };
  const names = await keysThere();
  const moved = Math.ceil(names.length / 2);
  await migrate(names.slice(0, moved));
  return {
    source,
    target,
    moved,
    stayed: names.length - moved,
    async finish() {
      await migrate(await keysThere());
      for (const server of new Set([target, source, ...masters])) {
        expectOk(await server.command(`CLUSTER SETSLOT ${slot} NODE ${targetId}`));
      }
    },
  };
}

async function mastersOf({ servers }: ClusterDeployment): Promise<RedisServer[]> {
  const roles = await Promise.all(servers.map((server) => server.command('ROLE').catch(() => '')));
  return servers.filter((_, index) => roles[index]?.includes('master'));
}

const lines = (reply: string) => reply.split('\r\n');

function expectOk(reply: string): void {
  if (!reply.startsWith('+OK')) throw new Error(`the cluster answered ${reply}`);
}
