import { beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asConfigGet, parseConf, type Directive } from './conf-file.ts';
import { redisCli } from './redis-cli.ts';
import { readText, root } from './repository.ts';

const epic = {
  dev: ['port 6379', 'appendonly no', 'save ""', 'maxmemory-policy allkeys-lru'],
  prod: [
    'port 6379',
    'appendonly yes',
    'appendfsync everysec',
    'save 900 1',
    'save 300 10',
    'maxmemory 4gb',
    'maxmemory-policy allkeys-lru',
    'timeout 0',
    'databases 16',
  ],
};

const overridden = ['port', 'bind', 'dir'];

describe.each(['dev', 'prod'] as const)('redis.%s.conf', (name) => {
  let directives: Directive[];
  let port: number;
  const scope = suiteScope();

  beforeAll(async () => {
    directives = parseConf(await readText(`infra/redis/redis.${name}.conf`));
    port = await freePort();
    const folder = await scope.use(temporaryFolder('conf'));
    const server = startProcess('redis-server', [
      join(root, `infra/redis/redis.${name}.conf`),
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder.path,
    ]);
    scope.defer(() => server.stop('SIGKILL'));
    await waitFor(async () => (await redisCli(port, ['PING'])) === 'PONG', {
      what: `redis-server: ${server.output()}`,
    });
  });

  it('has every line of the EPIC', () => {
    const lines = directives.map((directive) => `${directive.name} ${directive.value}`);
    expect(lines).toEqual(expect.arrayContaining(epic[name]));
  });

  it('gives every line a reason', () => {
    expect(directives.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });

  it('is applied by a real server, line by line', async () => {
    const expected = new Map<string, string>();
    for (const { name: key, value } of directives) {
      if (overridden.includes(key)) continue;
      const before = expected.get(key);
      expected.set(
        key,
        before === undefined ? asConfigGet(value) : `${before} ${asConfigGet(value)}`,
      );
    }
    for (const [key, value] of expected) {
      const answered = (await redisCli(port, ['CONFIG', 'GET', key]))
        .split('\n')
        .slice(1)
        .join('\n');
      expect([key, meaning(key, answered)]).toEqual([key, meaning(key, value)]);
    }
  });
});

/** Some settings of Redis still use the word "slave". */
function meaning(key: string, value: string): string {
  return key === 'client-output-buffer-limit' ? value.replace('slave', 'replica') : value;
}

describe('the EPIC’s own redis.conf', () => {
  it('does not start, as Redis accepts no comment after a directive', async () => {
    const folder = await temporaryFolder('conf');
    const file = join(folder.path, 'redis.conf');
    await writeFile(
      file,
      'port 0\nappendonly no                    # AOF off (speed > durability)\n',
    );
    const server = startProcess('redis-server', [file]);
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(/wrong number of arguments/);
    await folder.remove();
  });
});
