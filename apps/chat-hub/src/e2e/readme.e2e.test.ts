import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { noRedis, startTestHub } from '../testing/test-hub.ts';

const hub = closeAfterAll(await startTestHub(noRedis));
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

function commandsUnder(heading: string): string {
  const block = readme.split(`## ${heading}\n`)[1]?.split('```bash\n')[1]?.split('```')[0] ?? '';
  return block
    .replaceAll('http://127.0.0.1:8080', hub.url)
    .replaceAll('waitMs=50000', 'waitMs=200');
}

it('the requests of the README work as printed, one after the other', async () => {
  await hub.request('ana', 'POST', '/v1/channels', { channelId: 'lobby', name: 'Lobby' });
  await hub.request('ben', 'POST', '/v1/channels/lobby/join');
  const commands = commandsUnder('Without a socket').replaceAll('waitMs=200"', 'waitMs=200"; echo');
  expect(commands.match(/^\s*(?:call|curl|sent=)/gm)?.length).toBeGreaterThan(10);
  const { stdout, stderr } = await promisify(execFile)('bash', [
    '-euo',
    'pipefail',
    '-c',
    commands,
  ]);
  expect(stderr).toBe('');
  const answers = stdout
    .replaceAll('}{', '}\n{')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const answer of answers) expect(answer).not.toHaveProperty('error');
  expect(answers[0]).toMatchObject({ unreached: ['eve'], duplicate: false });
  expect(answers[2]).toMatchObject({
    message: { mentions: ['ana'], reactions: { '👍': ['ana'] } },
  });
  expect(answers[5]).toMatchObject({ threads: [{ title: 'The build', replies: 1 }] });
  expect(answers[6]).toMatchObject({ messages: [{}, { content: 'It is.' }] });
  expect(answers[7]).toMatchObject({ channels: [{ channelId: 'lobby', mentions: 1 }] });
  expect(answers.at(-2)?.['events']).toHaveLength(3);
  expect(answers.at(-1)).toMatchObject({ events: [], head: 6 });
});
