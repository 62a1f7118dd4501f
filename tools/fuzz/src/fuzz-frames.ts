import { openRawSocket, waitFor } from '@openclaw/test-support';
import fc from 'fast-check';
import { fuzzText, fuzzValue } from './fuzz-values.ts';
import { iterationsOf } from './iterations.ts';
import type { Target } from './target.ts';

/** The hub closes a socket after more bad frames than this. frames.e2e.test.ts tests that limit. */
const framesPerSocket = 8;

const field = <T>(good: fc.Arbitrary<T>) => fc.oneof({ weight: 4, arbitrary: good }, fuzzValue);
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
  fc.array(fc.oneof(callLike, fuzzValue), { maxLength: 110 }).map((value) => JSON.stringify(value)),
  fuzzValue.map((value) => JSON.stringify(value)),
  fuzzText.map((value) => value.toWellFormed()),
  // A valid call with one character removed or changed.
  fc.tuple(fc.nat(60), fc.string({ maxLength: 1 })).map(([at, put]) => {
    const good = '{"jsonrpc":"2.0","id":"x","method":"ping","params":{}}';
    return good.slice(0, at) + put + good.slice(at + 1);
  }),
);

/** Returns the number of answers that JSON-RPC 2.0 requires for a frame. */
export function expectedAnswers(frame: string): number {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return 1;
  }
  if (!Array.isArray(value)) return isNotification(value) ? 0 : 1;
  if (value.length === 0 || value.length > 100) return 1;
  return value.filter((item) => !isNotification(item)).length;
}

/** A well-formed call without an id gets no answer. */
function isNotification(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  const isParams = params === undefined || (typeof params === 'object' && params !== null);
  return id === undefined && jsonrpc === '2.0' && typeof method === 'string' && isParams;
}

export async function fuzzFrames(target: Target, seed: number, runs: number): Promise<void> {
  let iteration = 0;
  const holds = async (frames: readonly string[], protocol: string | null) => {
    const raw = await openRawSocket(target.socketUrl(`frames-${iteration++ % 50}`), {
      protocol,
    });
    try {
      const expected = frames.reduce((sum, frame) => sum + expectedAnswers(frame), 0);
      const answers = () => raw.objects.filter(({ method }) => method === undefined);
      raw.send(...frames, '{"jsonrpc":"2.0","id":"last","method":"ping"}');
      await waitFor(() => raw.isClosed || answers().length > expected, {
        everyMs: 1,
        what: `${expected + 1} answers; there are ${answers().length}`,
      });
      await target.assertUnharmed();
      if (raw.isClosed) throw new Error('the socket was closed');
      const came = answers();
      if (came.length !== expected + 1)
        throw new Error(`${came.length - 1} answers instead of ${expected}`);
      const fault = came.find(({ error }) => error?.data?.code === 'internal');
      if (fault) throw new Error(`the hub reports an internal error: ${JSON.stringify(fault)}`);
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
    iterationsOf(seed, runs),
  );
}
