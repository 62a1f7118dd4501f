import {
  commonErrors,
  limits,
  methods,
  rpcErrorCodes,
  type ErrorCode,
  type MethodName,
} from '@openclaw/protocol';
import { openRawSocket, waitFor, type RawSocket, type RpcObject } from '@openclaw/test-support';
import fc from 'fast-check';
import { fillIn, methodCall, type MethodCall } from './method-calls.ts';
import { iterationsOf } from './iterations.ts';
import type { Target } from './target.ts';

const serverErrors: readonly ErrorCode[] = ['internal', 'unavailable', 'timeout'];

/**
 * Returns null for a right answer: a result of the method's shape, or a documented error. `serverErrors` are never
 * right, although they are documented.
 */
export function problemOf(method: MethodName, { result, error }: RpcObject): string | null {
  if (!error) {
    const { success, error: issues } = methods[method].result.safeParse(result);
    return success ? null : `a result that does not fit ${method}: ${issues.message}`;
  }
  if (error.code === rpcErrorCodes.invalidParams || error.code === rpcErrorCodes.invalidRequest)
    return null;
  const code = error.data?.code as ErrorCode | undefined;
  const documented: readonly ErrorCode[] = [...commonErrors, ...methods[method].errors];
  const isFine =
    error.code === rpcErrorCodes.refused &&
    code !== undefined &&
    documented.includes(code) &&
    !serverErrors.includes(code);
  return isFine ? null : `${method} answered ${JSON.stringify(error)}`;
}

let iterations = 0;

/** The first of two agents owns a public channel with a message, and a private one. */
async function openFixture(target: Target) {
  const iteration = ++iterations;
  const meanings: Record<string, string> = {
    $public: `pub-${iteration}`,
    $private: `priv-${iteration}`,
    $owner: `owner-${iteration % 50}`,
    $other: `other-${iteration % 50}`,
  };
  const [owner, other] = (await Promise.all(
    ['$owner', '$other'].map(async (name) => openRawSocket(target.socketUrl(meanings[name] ?? ''))),
  )) as [RawSocket, RawSocket];
  const ask = async (raw: RawSocket, method: MethodName, params: object) => {
    const id = `setup-${method}-${raw.objects.length}`;
    raw.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return waitFor(() => raw.objects.find((object) => object.id === id)?.result as object, {
      everyMs: 1,
      what: method,
    });
  };
  await Promise.all([
    ask(owner, 'channel.create', { channelId: meanings['$public'], name: 'Public' }),
    ask(owner, 'channel.create', { channelId: meanings['$private'], name: 'P', kind: 'private' }),
  ]);
  const sent = await ask(owner, 'message.send', { channelId: meanings['$public'], content: 'x' });
  meanings['$message'] = (sent as { messageId: string }).messageId;
  return { owner, other, meanings };
}

async function checkCalls(target: Target, calls: readonly (readonly [boolean, MethodCall])[]) {
  const { owner, other, meanings } = await openFixture(target);
  try {
    const texts = calls
      .map(([isOwner, { method, params }], index) => ({
        raw: isOwner ? owner : other,
        method,
        id: `call-${index}`,
        text: `{"jsonrpc":"2.0","id":"call-${index}","method":"${method}","params":${fillIn(params, meanings)}}`,
      }))
      // The hub would close the socket after a larger frame. The corpus covers this case.
      .filter(({ text }) => Buffer.byteLength(text) <= limits.frameBytes);
    for (const raw of [owner, other])
      raw.send(...texts.filter((call) => call.raw === raw).map(({ text }) => text));
    for (const { raw, method, id } of texts) {
      const answer = await waitFor(
        () => {
          if (raw.isClosed) throw new Error(`closed before ${method} was answered`);
          return raw.objects.find((object) => object.id === id);
        },
        { everyMs: 1, what: `an answer of ${method}` },
      );
      const problem = problemOf(method, answer);
      if (problem !== null) throw new Error(problem);
    }
    await target.assertUnharmed();
    for (const { raw, id, method } of texts) {
      if (raw.objects.filter((object) => object.id === id).length !== 1)
        throw new Error(`${method} was answered more than once`);
    }
  } finally {
    owner.destroy();
    other.destroy();
  }
}

export async function fuzzMethods(target: Target, seed: number, runs: number): Promise<void> {
  const calls = fc.array(fc.tuple(fc.boolean(), methodCall), { minLength: 20, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(calls, (each) => checkCalls(target, each)),
    iterationsOf(seed, runs),
  );
}
