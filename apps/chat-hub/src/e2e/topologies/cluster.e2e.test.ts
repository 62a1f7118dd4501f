import { expect } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import {
  moveSlotHalfWay,
  startCluster,
  waitFor,
  type ClusterDeployment,
  type HalfMovedSlot,
  type RedisServer,
} from '@openclaw/test-support';
import { deliverySuite, type Fault, type FaultScene, type Topology } from './delivery.contract.ts';

interface Nodes extends Topology {
  readonly deployment: ClusterDeployment;
  fallen: { readonly server: RedisServer; readonly key: string } | undefined;
  halfMoved: HalfMovedSlot | undefined;
}

const keys = createKeySchema({ hashTags: true });
const keyOfFirstChannel = ({ traffic }: FaultScene) => keys.sequence(traffic.channels[0] as string);

async function find(topology: Nodes, scene: FaultScene): Promise<RedisServer> {
  const key = keyOfFirstChannel(scene);
  const server = await topology.deployment.masterOf(key);
  topology.fallen = { server, key };
  return server;
}
async function failedOver({ deployment, fallen }: Nodes): Promise<void> {
  if (fallen) await deployment.failedOver(fallen.key, fallen.server);
}
async function rejoined({ fallen }: Nodes): Promise<void> {
  await waitFor(
    async () =>
      (await fallen?.server.command('INFO replication').catch(() => ''))?.includes(
        'master_link_status:up',
      ),
    { what: 'the old master as a replica', timeoutMs: 30_000, everyMs: 100 },
  );
}

const faults: Fault<Nodes>[] = [
  {
    title: 'a slot that moves to another master with its keys',
    cutOff: [],
    async strike({ deployment }, scene) {
      const key = keyOfFirstChannel(scene);
      const old = await deployment.masterOf(key);
      const owner = await deployment.moveSlotOf(key);
      expect(await deployment.masterOf(key)).toBe(owner);
      expect(await old.command(`EXISTS ${key}`)).toContain('MOVED');
      expect(await owner.command(`EXISTS ${key}`)).toBe(':1');
    },
  },
  {
    // While the slot moves, every script of the channel gets TRYAGAIN or ASK.
    title: 'a slot that is half way to another master',
    cutOff: [],
    async strike(topology, scene) {
      topology.halfMoved = await moveSlotHalfWay(topology.deployment, keyOfFirstChannel(scene));
      expect(topology.halfMoved.moved).toBeGreaterThan(0);
      expect(topology.halfMoved.stayed).toBeGreaterThan(0);
    },
    recover: async ({ halfMoved }) => halfMoved?.finish(),
  },
  {
    title: 'a kill -9 of a master',
    cutOff: [0, 1],
    strike: async (topology, scene) => (await find(topology, scene)).kill(),
    recover: failedOver,
    async mend(topology) {
      await topology.fallen?.server.restart();
      await rejoined(topology);
    },
  },
  {
    title: 'a frozen (SIGSTOP) master, which later thaws',
    cutOff: [0, 1],
    strike: async (topology, scene) => (await find(topology, scene)).freeze(),
    recover: failedOver,
    async mend(topology) {
      topology.fallen?.server.thaw();
      await rejoined(topology);
    },
  },
];

deliverySuite<Nodes>(
  'Cluster (three masters, three replicas)',
  async () => {
    const deployment = await startCluster();
    const nodes = deployment.nodes.map(({ host, port }) => `${host}:${port}`).join();
    return {
      deployment,
      fallen: undefined,
      halfMoved: undefined,
      env: { CHAT_REDIS_CLUSTER: nodes },
      stop: () => deployment.stop(),
    };
  },
  faults,
);
