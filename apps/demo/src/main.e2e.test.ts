import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { freePort, startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';

const main = resolve(fileURLToPath(import.meta.url), '../main.ts');
const scope = testScope();

async function start(...args: readonly string[]) {
  const folder = await scope.use(temporaryFolder('demo'));
  const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
  const { PATH, HOME } = process.env;
  const demo = startProcess(process.execPath, [...flags, main, ...args], {
    cwd: folder.path,
    env: { PATH, HOME, REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
  });
  scope.defer(() => demo.stop('SIGKILL'));
  return demo;
}

describe('npm run demo', () => {
  it('starts a hub with a fleet, prints its address in one line, and stops both at SIGTERM', async () => {
    const port = await freePort();
    const demo = await start('--port', String(port), '--agents', '8', '--pace', '10');
    await waitFor(() => demo.output().includes('\n'), {
      ...{ what: `the line: ${demo.output()}`, timeoutMs: 30_000 },
    });
    const url = `http://127.0.0.1:${port}`;
    expect(demo.output()).toBe(
      `demo: open ${url} and say hello in #lobby (8 agents at work; Ctrl-C ends it)\n`,
    );
    const { channels } = (await (await fetch(`${url}/v1/channels?agent=zoe`)).json()) as {
      channels: { name: string }[];
    };
    expect(channels.map(({ name }) => name)).toContain('lobby');
    demo.signal('SIGTERM');
    expect(await demo.exited).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    expect(demo.output().split('\n')).toHaveLength(2);
  });

  // The race: a terminal's Ctrl-C reaches every process, and npm also forwards it.
  it.each([
    ['gets two signals at once', ['SIGINT', 'SIGINT'] as const],
    ['is killed', ['SIGKILL'] as const],
  ])(
    'leaves no hub behind when it %s',
    async (_how, signals) => {
      const port = await freePort();
      const demo = await start('--port', String(port), '--agents', '6', '--pace', '10');
      await waitFor(() => demo.output().includes('\n'), {
        ...{ what: `the line: ${demo.output()}`, timeoutMs: 30_000 },
      });
      for (const signal of signals) demo.signal(signal);
      await demo.exited;
      const answers = () =>
        fetch(`http://127.0.0.1:${port}/healthz`).then(
          () => true,
          () => false,
        );
      await waitFor(async () => !(await answers()), { what: 'the hub to end', timeoutMs: 20_000 });
    },
    60_000,
  );

  it('says in one sentence why the hub did not start', async () => {
    const port = await freePort();
    const demo = await start('--url', `http://127.0.0.1:${port}`, '--agents', 'many');
    expect(await demo.exited).toBe(2);
    expect(demo.output()).toContain('--agents');
    const other = await start('--port', '1', '--data', '/dev/null/demo.sqlite');
    expect(await other.exited).toBe(2);
    expect(other.output()).toMatch(/^demo: the hub did not start: chat-hub: .*\n$/);
  });
});
