import { createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  connectRpc,
  freePort,
  hubProgram,
  redisCommand,
  startProcess,
  startRedis,
  temporaryFolder,
  waitFor,
  type ServerProcess,
} from '@openclaw/test-support';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function inherited() {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}

async function start(
  environment: Record<string, string>,
  { fromSource = false } = {},
): Promise<{ process: ServerProcess; port: number; folder: string }> {
  const folder = await temporaryFolder('start');
  const port = await freePort();
  const env = {
    ...inherited(),
    HUB_PORT: String(port),
    HUB_DB_URL: `sqlite:${folder.path}/hub.sqlite`,
    ...environment,
  };
  const program = hubProgram('main', { fromSource });
  const hub = startProcess(process.execPath, program, { cwd: folder.path, env });
  cleanups.push(
    () => folder.remove(),
    () => hub.stop('SIGKILL'),
  );
  return { process: hub, port, folder: folder.path };
}
const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    async (response) => ((await response.json()) as { status: string }).status === 'ok',
    () => false,
  );
const up = (started: { process: ServerProcess; port: number }) =>
  waitFor(() => answers(started.port), {
    what: `the hub: ${started.process.output()}`,
    timeoutMs: 15_000,
  });

describe('starting and stopping the hub', () => {
  it('runs embedded without Redis, logs that in one line, and uses Redis as soon as one appears', async () => {
    const redisPort = await freePort();
    const started = await start(
      { REDIS_URL: `redis://127.0.0.1:${redisPort}` },
      { fromSource: true },
    );
    await up(started);
    await using ana = await connectRpc(`ws://127.0.0.1:${started.port}/v1/ws?agent=ana`);
    await ana.call('channel.create', { channelId: 'c', name: 'c' });
    await ana.call('subscribe', { topics: [{ channelId: 'c' }] });
    await ana.call('message.send', { channelId: 'c', content: 'alone' });
    expect(await ana.call('presence.list', { channelId: 'c' })).toMatchObject({
      degraded: true,
      presences: [{ agentId: 'ana' }],
    });

    const redis = await startRedis({ port: redisPort });
    cleanups.push(() => redis.stop());
    await waitFor(async () => !(await ana.call('presence.list', { channelId: 'c' })).degraded, {
      what: 'Redis in use',
    });
    await ana.call('message.send', { channelId: 'c', content: 'over Redis' });
    await waitFor(
      async () => (await redisCommand(redisPort, 'GET openclaw:seq:messages:c')).includes('3'),
      { what: 'the seq in Redis' },
    );
    expect(await redisCommand(redisPort, 'ZCARD openclaw:roster:c')).toBe(':1');
  });

  it('prints the embedded mode in one line when no Redis is configured', async () => {
    // A Redis may listen on port 6379 of this machine, so the hub may print either of these lines.
    const started = await start({});
    await up(started);
    await waitFor(() => /Embedded mode: .*REDIS_URL|Redis answers/.test(started.process.output()), {
      what: `the line: ${started.process.output()}`,
    });
  });

  it('reads a .env in its folder, which the environment overrides', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const folder = await temporaryFolder('env');
    cleanups.push(() => folder.remove());
    writeFileSync(`${folder.path}/.env`, `HUB_PORT=${other}\nHUB_DB_URL=sqlite:from-env.sqlite\n`);
    const env = { ...inherited(), HUB_PORT: String(port) };
    const hub = startProcess(process.execPath, hubProgram('main'), { cwd: folder.path, env });
    cleanups.push(() => hub.stop('SIGKILL'));
    await up({ process: hub, port });
    expect(existsSync(`${folder.path}/from-env.sqlite`)).toBe(true);
  });

  it('shuts down cleanly on SIGTERM, and acknowledged messages are there after the next start', async () => {
    const first = await start({});
    await up(first);
    const ana = await connectRpc(`ws://127.0.0.1:${first.port}/v1/ws?agent=ana`);
    await ana.call('channel.create', { channelId: 'kept', name: 'kept' });
    await ana.call('message.send', { channelId: 'kept', content: 'kept' });
    first.process.signal('SIGTERM');
    expect(await first.process.exited).toBe(0);
    const second = await start({ HUB_DB_URL: `sqlite:${first.folder}/hub.sqlite` });
    await up(second);
    await using back = await connectRpc(`ws://127.0.0.1:${second.port}/v1/ws?agent=ana`);
    expect((await back.call('message.history', { channelId: 'kept' })).messages).toMatchObject([
      { content: 'kept' },
    ]);
  });

  it('keeps acknowledged messages through a kill -9', async () => {
    const first = await start({});
    await up(first);
    const ana = await connectRpc(`ws://127.0.0.1:${first.port}/v1/ws?agent=ana`);
    await ana.call('channel.create', { channelId: 'c', name: 'c' });
    const { seq } = await ana.call('message.send', { channelId: 'c', content: 'acked' });
    await first.process.stop('SIGKILL');
    const second = await start({ HUB_DB_URL: `sqlite:${first.folder}/hub.sqlite` });
    await up(second);
    await using back = await connectRpc(`ws://127.0.0.1:${second.port}/v1/ws?agent=ana`);
    const { topics } = await back.call('subscribe', {
      topics: [{ channelId: 'c', since: seq - 1 }],
    });
    expect(topics[0]).toMatchObject({
      resumed: true,
      head: seq,
      events: [{ event: { message: { content: 'acked' } } }],
    });
  });

  describe('ends in one clear sentence and a non-zero exit when', () => {
    async function failure(environment: Record<string, string>): Promise<string> {
      const { process: hub } = await start(environment);
      expect(await hub.exited).toBe(1);
      expect(hub.output()).not.toMatch(/\n\s+at /);
      return hub.output();
    }

    it('the port is in use', async () => {
      const blocker = createServer();
      await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
      cleanups.push(() => new Promise((resolve) => blocker.close(resolve)));
      const { port } = blocker.address() as { port: number };
      expect(await failure({ HUB_PORT: String(port) })).toContain(
        `port ${port} on 127.0.0.1 is in use`,
      );
    });

    it('a variable is not valid', async () => {
      expect(await failure({ HUB_PORT: 'abc' })).toContain('HUB_PORT');
    });

    it('a variable is misspelled; in production the sentence is JSON', async () => {
      expect(await failure({ HUB_PROT: '80' })).toMatch(/^chat-hub: .*\n +HUB_PROT: .*HUB_PORT/);
      const output = await failure({ NODE_ENV: 'production', HUB_PROT: '80' });
      expect(JSON.parse(output)).toMatchObject({
        level: 60,
        msg: expect.stringContaining('HUB_PROT'),
      });
    });

    it('the file is not a database', async () => {
      const folder = await temporaryFolder('bad-db');
      cleanups.push(() => folder.remove());
      writeFileSync(
        `${folder.path}/bad.sqlite`,
        'this is not a database, whatever its name says. '.repeat(100),
      );
      expect(await failure({ HUB_DB_URL: `sqlite:${folder.path}/bad.sqlite` })).toMatch(
        /bad\.sqlite/,
      );
    });

    it('the database cannot be written', async () => {
      const folder = await temporaryFolder('no-db');
      cleanups.push(() => folder.remove());
      writeFileSync(`${folder.path}/file`, '');
      mkdirSync(`${folder.path}/closed`);
      chmodSync(`${folder.path}/closed`, 0o500);
      // Root may write anywhere, but cannot create a folder inside a file.
      expect(await failure({ HUB_DB_URL: `sqlite:${folder.path}/file/hub.sqlite` })).toMatch(
        /hub\.sqlite/,
      );
    });

    it('another process holds the lock of the database', async () => {
      const folder = await temporaryFolder('locked-db');
      cleanups.push(() => folder.remove());
      const locker = new DatabaseSync(`${folder.path}/locked.sqlite`);
      locker.exec('BEGIN EXCLUSIVE');
      cleanups.push(async () => locker.close());
      const output = await failure({ HUB_DB_URL: `sqlite:${folder.path}/locked.sqlite` });
      expect(output.trim().split('\n').at(-1)).toMatch(
        /^chat-hub: .*holds the lock of the database .*locked\.sqlite$/,
      );
    });

    it('PostgreSQL does not answer', async () => {
      const port = await freePort();
      const output = await failure({
        HUB_DB_URL: `postgres://hub:pa55word@127.0.0.1:${port}/hub`,
        HUB_START_TIMEOUT_MS: '600',
      });
      expect(output).toContain(String(port));
      expect(output).not.toContain('pa55word');
    });
  });
});
