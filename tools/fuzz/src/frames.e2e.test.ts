import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  clientFrame,
  connectRpc,
  opcodes,
  openRawSocket,
  openBystanders,
  startHub,
  waitFor,
  type HubProcess,
  type RawSocket,
  type Bystanders,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import type { CallCase } from './corpus/call-case.ts';
import { callCases } from './corpus/calls.ts';
import { framingCases } from './corpus/framing.ts';

// The hub is a separate process, so that a crash is detected and its log can be read.
const scope = suiteScope();
let hub: HubProcess;
let bystanders: Bystanders;

const urlOf = (agentId: string) => `${hub.url}/v1/ws?agent=${agentId}`;

beforeAll(async () => {
  hub = await scope.use(startHub({ env: { LOG_LEVEL: 'error', HUB_LIMIT_MESSAGE: '100000/60' } }));
  bystanders = await scope.use(openBystanders(urlOf));
  const ana = await connectRpc(urlOf('ana'));
  await ana.call('channel.create', { channelId: 'corpus', name: 'Corpus' });
  await ana.close();
});

async function assertUnharmed(): Promise<void> {
  await bystanders.exchangeMessage();
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

async function awaitNextAnswer(raw: RawSocket): Promise<void> {
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

  async function sendAndCheck({ text, answers, id = 'x' }: CallCase, on: RawSocket): Promise<void> {
    const before = answersOf(on).length;
    on.send(text);
    await awaitNextAnswer(on);
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
    'with %s gets the expected answers, and the socket stays open',
    async (_name, entry) => {
      if (raw.isClosed) raw = await openRawSocket(urlOf('ana'));
      await sendAndCheck(entry, raw);
    },
  );

  it('of any kind does not affect the hub or other agents', assertUnharmed);
});

describe('a WebSocket frame', () => {
  it.each(framingCases.map((entry) => [entry.name, entry] as const))(
    'which is %s is answered, or closes its own socket with the right code',
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

  it('that is binary gets a parse error, and the eleventh more closes the socket', async () => {
    const raw = await openRawSocket(urlOf('ben'));
    const binary = clientFrame('{"jsonrpc":"2.0","id":"x","method":"ping"}', {
      opcode: opcodes.binary,
    });
    raw.write(binary);
    await awaitNextAnswer(raw);
    expect(answersOf(raw)).toMatchObject([{ id: null, error: { code: -32700 } }]);
    for (let i = 0; i < 11; i++) raw.write(binary);
    expect(await raw.closed).toBe(4400);
    raw.destroy();
  });

  it('of any kind does not affect the hub or other agents', assertUnharmed);
});
