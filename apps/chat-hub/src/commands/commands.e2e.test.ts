import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { envelopeSchema } from '@openclaw/protocol';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { range } from '../testing/seqs.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const database = closeAfterAll(await temporaryDatabase());
const hub = closeAfterAll(
  await startTestHub({ HUB_DB_URL: database.url, HUB_LIMIT_MESSAGE: '100000/60' }),
);

async function run(command: string, ...given: readonly (string | Record<string, string>)[]) {
  const args = given.filter((one) => typeof one === 'string');
  const environment = given.find((one) => typeof one === 'object');
  const flags = ['--conditions=@openclaw/source', '--disable-warning=ExperimentalWarning'];
  const file = resolve(`apps/chat-hub/src/commands/${command}.ts`);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [...flags, file, ...args], {
    env: { PATH, NODE_COMPILE_CACHE, HUB_DB_URL: database.url, ...environment },
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, code: await exited };
}

describe('npm run export', () => {
  it('writes a channel as JSON lines by seq, from any seq on', async () => {
    await using ana = await hub.connect('ana');
    await ana.call('channel.create', { channelId: 'ops', name: 'Ops' });
    for (let sent = 0; sent < 1_200; sent += 100) {
      await Promise.all(
        range(1, 100).map((n) =>
          ana.call('message.send', { channelId: 'ops', content: `line\n${sent + n}` }),
        ),
      );
    }
    const seqsOf = (out: string) =>
      out
        .trimEnd()
        .split('\n')
        .map((line) => envelopeSchema.parse(JSON.parse(line)).seq);
    const { head } = (await ana.call('channel.get', { channelId: 'ops' })).channel;
    const whole = await run('export', '--channel', 'ops');
    expect([whole.code, seqsOf(whole.out)]).toEqual([0, range(1, head)]);
    expect(whole.err).toContain(`exported ${head} events of ops, up to seq ${head}`);
    const rest = await run('export', '--channel', 'ops', '--after', `${head - 3}`);
    expect([rest.code, seqsOf(rest.out)]).toEqual([0, range(head - 2, head)]);
  });

  it('says in one sentence why it failed', async () => {
    const unknown = await run('export', '--channel', 'none');
    expect(unknown).toEqual({ code: 1, out: '', err: 'export: there is no channel none\n' });
    // A mistake in the URL must not create a database.
    const path = `${database.url}-2`.replace('sqlite:', '');
    const missing = await run('export', { HUB_DB_URL: `sqlite:${path}` }, '--channel', 'ops');
    expect(missing).toEqual({ code: 1, out: '', err: `export: there is no file ${path}\n` });
    expect(existsSync(path)).toBe(false);
    const misspelt = await run('export', '--chanel', 'ops');
    expect(misspelt).toMatchObject({ code: 2, out: '' });
    expect(misspelt.err).toContain('usage: npm run export -- --channel ID');
  });
});

describe('npm run erase', () => {
  it('counts, and with --yes erases while a hub serves; the hub shows nothing of it any more', async () => {
    await using ana = await hub.connect('ana');
    await using ben = await hub.connect('ben');
    const channelId = 'lab';
    await ana.call('channel.create', { channelId, name: 'Lab' });
    await ben.call('channel.join', { channelId });
    await ben.call('member.update', { channelId, agentId: 'ben', displayName: 'secret name' });
    await ana.call('subscribe', { topics: [{ channelId }] });
    for (const n of range(1, 30)) {
      await ben.call('message.send', {
        channelId,
        content: `secret ${n}`,
        metadata: { a: 'secret' },
      });
    }
    await ben.call('collaboration.emit', { channelId, name: 'x', payload: { a: 'secret' } });
    const read = async () => {
      const socket = await hub.connect('ana');
      const answers = [
        await socket.call('subscribe', { topics: [{ channelId, since: 0 }] }),
        await socket.call('message.history', { channelId }),
        await socket.call('log.read', { channelId, after: 0 }),
        await socket.call('member.list', { channelId }),
      ];
      await socket.close();
      return answers;
    };
    // The hub now has the texts in memory, so the erasure must remove them there too.
    expect(JSON.stringify(await read())).toContain('secret');

    const counted = await run('erase', '--agent', 'ben');
    expect(counted.code).toBe(0);
    const counts = { messages: 30, reactions: 0, log: 2, threads: 0, members: 1 };
    expect(JSON.parse(counted.out)).toMatchObject({ agentId: 'ben', dryRun: true, counts });
    expect(JSON.stringify(await read())).toContain('secret');

    const erased = await run('erase', '--agent', 'ben', '--yes');
    expect(erased.code).toBe(0);
    const receipt = JSON.parse(erased.out);
    expect(receipt).toMatchObject({ agentId: 'ben', pseudonym: null, dryRun: false, counts });
    expect(Date.parse(receipt.finishedAt)).toBeGreaterThanOrEqual(Date.parse(receipt.startedAt));
    expect(receipt.by).toMatch(/.@./);
    await ana.event(({ event, seq }) => event.type === 'channel.message.delete' && seq === 64);
    const after = await read();
    expect(JSON.stringify(after)).not.toContain('secret');
    expect(after[0].topics[0]).toMatchObject({ resumed: true, head: 64 });
    expect(after[0].topics[0].events).toHaveLength(64);
  });
});

describe('the documentation', () => {
  it.each(['docs/operations.md', 'docs/retention.md'])(
    '%s writes the output of commands into files without the lines of npm',
    (file) => {
      const intoFiles = readFileSync(file, 'utf8').match(/npm run [^`\n]*> \S+\.jsonl?\b/g) ?? [];
      expect(intoFiles.length).toBeGreaterThan(0);
      for (const command of intoFiles) expect(command).toMatch(/^npm run --silent /);
    },
  );
});
