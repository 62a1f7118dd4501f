import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  freePort,
  startProcess,
  temporaryFolder,
  waitFor,
  type ServerProcess,
  type TemporaryFolder,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecker } from '../checkers.ts';
import { parseConf } from '../conf-file.ts';
import { redisCli } from '../redis-cli.ts';
import { readText, root } from '../repository.ts';
import { runStartScript, startByScript } from '../start-script.ts';

const host = '127.0.0.1';
// Nothing listens on this loopback address.
const formerHost = '127.0.0.9';
const admin = { user: 'admin', password: 'admin-secret' };

interface Node {
  readonly port: number;
  readonly busPort: number;
  readonly folder: TemporaryFolder;
}

describe('infra/cluster', () => {
  const scope = suiteScope();
  let nodes: Node[];
  let running: ServerProcess[] = [];

  const environment = ({ port }: Node) => ({
    REDIS_PASSWORD: 'hub-secret',
    REDIS_REPLICATION_PASSWORD: 'replication-secret',
    REDIS_ADMIN_PASSWORD: admin.password,
    REDIS_ANNOUNCE: `${host}:${port}`,
  });
  const args = ({ busPort }: Node) => ['--cluster-port', String(busPort)];
  const startAll = async () => {
    const started = await Promise.all(
      nodes.map((node) =>
        startByScript('cluster', environment(node), { ...node, args: args(node) }),
      ),
    );
    running = started.map(({ process }) => process);
  };
  const stopAll = () => Promise.all(running.map((process) => process.stop()));
  const create = () =>
    runChecker('sh', [join(root, 'infra/cluster/create.sh')], {
      env: {
        PATH: process.env['PATH'],
        REDIS_ADMIN_PASSWORD: admin.password,
        REDIS_CLUSTER_NODES: nodes.map(({ port }) => `${host}:${port}`).join(','),
      },
    });
  const ask = (node: Node, ...command: string[]) =>
    redisCli(node.port, ['CLUSTER', ...command], admin);
  const untilWhole = () =>
    waitFor(
      async () => {
        const infos = await Promise.all(nodes.map((node) => ask(node, 'INFO')));
        return infos.every((info) => /cluster_state:ok[^]*cluster_known_nodes:6/.test(info));
      },
      { what: 'a whole cluster', timeoutMs: 20_000, everyMs: 100 },
    );
  /** Changes the stored address of every node. All addresses then seem to be new, as after a restart of all pods. */
  const moveAll = async () => {
    for (const { folder } of nodes) {
      const file = join(folder.path, 'nodes.conf');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replaceAll(` ${host}:`, ` ${formerHost}:`));
    }
  };

  beforeAll(async () => {
    nodes = await Promise.all(
      Array.from({ length: 6 }, async () => ({
        port: await freePort(),
        busPort: await freePort(),
        folder: await scope.use(temporaryFolder('cluster')),
      })),
    );
    scope.defer(() => Promise.all(running.map((process) => process.stop('SIGKILL'))));
    await startAll();
  }, 60_000);

  it('gives every line of cluster.conf a reason', async () => {
    const directives = parseConf(await readText('infra/cluster/cluster.conf'));
    expect(directives.length).toBeGreaterThan(4);
    expect(directives.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });

  it('is created once: create.sh changes nothing at the next deployment', async () => {
    const first = await create();
    expect([first.code, first.code === 0 ? '' : first.output]).toEqual([0, '']);
    await untilWhole();
    const before = await ask(nodes[0] as Node, 'MYID');
    expect(await create()).toEqual({ code: 0, output: expect.stringContaining('already') });
    expect(await ask(nodes[0] as Node, 'MYID')).toBe(before);
    await untilWhole();
  }, 60_000);

  // Nodes store each other's addresses. When all change at once, no node finds another by itself.
  it('is complete again after all nodes got other addresses, and would not be without start.sh', async () => {
    await stopAll();
    await moveAll();
    running = nodes.map(({ port, busPort, folder }) =>
      startProcess(
        'redis-server',
        [
          join(folder.path, 'run/redis.conf'),
          ...['--port', String(port), '--cluster-port', String(busPort)],
          ...['--bind', host, '--dir', folder.path],
        ],
        { cwd: folder.path },
      ),
    );
    const [first] = nodes as [Node];
    await waitFor(
      async () => (await ask(first, 'NODES')).match(/ [a-z,]*fail\??[a-z,]* /g)?.length === 5,
      { what: 'a node that reaches no other', timeoutMs: 30_000, everyMs: 200 },
    );
    expect(await ask(first, 'INFO')).toMatch(/cluster_state:fail/);

    await stopAll();
    await startAll();
    await untilWhole();
  }, 90_000);

  it('does not start without the replication password', async () => {
    const started = await runStartScript('cluster', { REDIS_PASSWORD: 'x', REDIS_ANNOUNCE: 'a:1' });
    expect(await started.process.exited).toBe(1);
    expect(started.process.output()).toContain('REDIS_REPLICATION_PASSWORD is not set');
    await started.stop();
  });
});
