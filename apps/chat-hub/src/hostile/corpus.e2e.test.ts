import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, waitFor, type HubProcess } from '@openclaw/test-support';
import type { CallCase } from './corpus/call-case.ts';
import { callCases } from './corpus/calls.ts';
import { framingCases } from './corpus/framing.ts';
import { clientFrame, opcodes } from './frame-bytes.ts';
import { openRawSocket, type RawSocket } from './raw-socket.ts';
import { openWitness, type Witness } from './witness.ts';

// A process of its own, so that its death would be seen, and its log read.
let hub: HubProcess;
let witness: Witness;

const urlOf = (agentId: string) => `${hub.url}/v1/ws?agent=${agentId}`;

beforeAll(async () => {
  hub = await startHub({ env: { LOG_LEVEL: 'error', HUB_LIMIT_MESSAGE: '100000/60' } });
  witness = await openWitness(async (agentId) => urlOf(agentId));
  const ana = await connectRpc(urlOf('ana'));
  await ana.call('channel.create', { channelId: 'corpus', name: 'Corpus' });
  await ana.close();
});
afterAll(async () => {
  await witness?.close();
  await hub?.stop();
});

/** Shows that the hub lives, serves others, and calls nothing a fault of its own. */
async function isUnharmed(): Promise<void> {
  await witness.look();
  expect(
    hub
      .output()
      .split('\n')
      .filter((line) => /"level":[56]0/.test(line)),
  ).toEqual([]);
}

const quickly = { everyMs: 1 };

const answersOf = ({ objects }: RawSocket) =>
  objects.filter((object) => object.method === undefined && object.id !== 'after');

async function isAnswered(raw: RawSocket): Promise<void> {
  raw.send('{"jsonrpc":"2.0","id":"after","method":"ping"}');
  await waitFor(() => raw.isClosed || raw.objects.some(({ id }) => id === 'after'), {
    what: 'the next answer',
    everyMs: 1,
  });
  expect(raw.isClosed).toBe(false);
}

describe('a text frame', () => {
  let raw: RawSocket;
  beforeAll(async () => {
    raw = await openRawSocket(urlOf('ana'));
  });
  afterAll(() => raw?.destroy());

  async function tell({ text, answers, id = 'x' }: CallCase, on: RawSocket): Promise<void> {
    const before = answersOf(on).length;
    on.send(text);
    await isAnswered(on);
    const all = await waitFor(() => {
      const came = answersOf(on).slice(before);
      return came.length >= answers.length && came;
    }, quickly);
    const codeOf = (answer: (typeof all)[number]) =>
      answer.error ? (answer.error.data?.code ?? answer.error.code) : 'ok';
    expect(all.map(codeOf).map(String).sort()).toEqual(answers.map(String).sort());
    for (const answer of all) expect(answer.id).toEqual(id);
  }

  it.each(callCases.map((entry) => [entry.name, entry] as const))(
    'with %s is answered as the protocol says, once, and the socket goes on',
    async (_name, entry) => {
      if (raw.isClosed) raw = await openRawSocket(urlOf('ana'));
      await tell(entry, raw);
    },
  );

  it('of any kind leaves the hub and the others unharmed', isUnharmed);
});

describe('a WebSocket frame', () => {
  it.each(framingCases.map((entry) => [entry.name, entry] as const))(
    'which is %s is answered or ends its own socket, by the code that says why',
    async (_name, { bytes, expected }) => {
      const raw = await openRawSocket(urlOf('ben'));
      raw.write(bytes());
      if (expected === 'answered') {
        await waitFor(() => raw.isClosed || answersOf(raw).length === 1);
        expect(answersOf(raw)).toMatchObject([{ id: 'x', result: {} }]);
      } else {
        expect(await raw.closed).toBe(expected);
      }
      raw.destroy();
    },
  );

  it('that is binary is told to be none, and after eleven the socket is closed', async () => {
    const raw = await openRawSocket(urlOf('ben'));
    const binary = clientFrame('{"jsonrpc":"2.0","id":"x","method":"ping"}', {
      opcode: opcodes.binary,
    });
    raw.write(binary);
    await isAnswered(raw);
    expect(answersOf(raw)).toMatchObject([{ id: null, error: { code: -32700 } }]);
    for (let i = 0; i < 11; i++) raw.write(binary);
    expect(await raw.closed).toBe(4400);
    raw.destroy();
  });

  it('of any kind leaves the hub and the others unharmed', isUnharmed);
});
