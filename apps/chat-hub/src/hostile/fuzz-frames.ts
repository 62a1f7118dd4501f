import { waitFor } from '@openclaw/test-support';
import fc from 'fast-check';
import { hostileText, hostileValue } from './hostile-values.ts';
import { roundOf } from './round.ts';
import { openRawSocket } from './raw-socket.ts';
import type { Target } from './target.ts';

/** More bad frames than a socket is forgiven would end it: another subject. */
const framesPerSocket = 8;

const field = <T>(good: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: good }, hostileValue);
const callLike = fc.record(
  {
    jsonrpc: field(fc.constant('2.0')),
    id: field(fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
    method: field(fc.constantFrom('ping', 'channel.get', 'subscribe', 'message.send')),
    params: field(fc.constant({})),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const text = fc.oneof(
  callLike.map((value) => JSON.stringify(value)),
  fc
    .array(fc.oneof(callLike, hostileValue), { maxLength: 110 })
    .map((value) => JSON.stringify(value)),
  hostileValue.map((value) => JSON.stringify(value)),
  hostileText.map((value) => value.toWellFormed()),
  // A good call, cut short or with one character changed.
  fc.tuple(fc.nat(60), fc.string({ maxLength: 1 })).map(([at, put]) => {
    const good = '{"jsonrpc":"2.0","id":"x","method":"ping","params":{}}';
    return good.slice(0, at) + put + good.slice(at + 1);
  }),
);

/** How many answers JSON-RPC 2.0 says a frame gets. */
export function answersDue(frame: string): number {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return 1;
  }
  if (!Array.isArray(value)) return isSilent(value) ? 0 : 1;
  if (value.length === 0 || value.length > 100) return 1;
  return value.filter((item) => !isSilent(item)).length;
}

/** Is it a well-formed call without id? */
function isSilent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  const isParams = params === undefined || (typeof params === 'object' && params !== null);
  return id === undefined && jsonrpc === '2.0' && typeof method === 'string' && isParams;
}

/** Sends any text and JSON as frames: each gets as many answers as JSON-RPC says, none of them `internal`. */
export async function fuzzFrames(target: Target, seed: number, runs: number): Promise<void> {
  let round = 0;
  const holds = async (frames: readonly string[], protocol: string | null) => {
    const raw = await openRawSocket(await target.socketUrl(`frames-${round++ % 50}`), { protocol });
    try {
      const due = frames.reduce((sum, frame) => sum + answersDue(frame), 0);
      const answers = () => raw.objects.filter(({ method }) => method === undefined);
      raw.send(...frames, '{"jsonrpc":"2.0","id":"last of all","method":"ping"}');
      await waitFor(() => raw.isClosed || answers().length > due, {
        everyMs: 1,
        what: `${due} answers and one more; there are ${answers().length}`,
      });
      await target.assertUnharmed();
      if (raw.isClosed) throw new Error('the socket was closed');
      const came = answers();
      if (came.length !== due + 1) throw new Error(`${came.length - 1} answers instead of ${due}`);
      const fault = came.find(({ error }) => error?.data?.code === 'internal');
      if (fault) throw new Error(`a fault: ${JSON.stringify(fault)}`);
    } finally {
      raw.destroy();
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 1, maxLength: framesPerSocket }),
      fc.constantFrom('openclaw.v1', null),
      holds,
    ),
    roundOf(seed, runs),
  );
}
