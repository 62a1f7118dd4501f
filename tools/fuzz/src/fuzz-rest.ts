import { methods, type MethodDefinition, type MethodName } from '@openclaw/protocol';
import { sendRaw, type RawAnswer } from '@openclaw/test-support';
import fc from 'fast-check';
import { fuzzText, fuzzValue, mutate, mutation } from './fuzz-values.ts';
import { callsOf, fillIn } from './method-calls.ts';
import { iterationsOf } from './iterations.ts';
import type { Target } from './target.ts';

interface Request {
  readonly verb: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly hasRightLength: boolean;
}

// Raw characters that are invalid in a request line would only test Node's parser, so they are encoded.
const inTarget = (text: string) =>
  text.replaceAll(/[\0-\x20\x7f-\uffff]/g, (it) => encodeURIComponent(it.toWellFormed()));
const pathPiece = fc.oneof(
  fuzzText.map((text) => inTarget(text).slice(0, 400)),
  fc.constantFrom(
    '..',
    '.',
    '%2e%2e',
    '%2f',
    '%00',
    '%',
    '%zz',
    '%E0%A4%A',
    '%c0%af',
    '//',
    '*',
    '~',
    ';a=b',
    ':channelId',
  ),
);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'limit',
        'cursor',
        'before',
        'after',
        'kind',
        'member',
        'threadId',
        'sub',
        '__proto__',
        'constructor',
        'limit[]',
        'access_token',
      ),
      fc.oneof(
        pathPiece,
        fc.constantFrom('1', '-1', '1e3', '9007199254740993', '00', 'true', 'null', ''),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));

const verbs = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE') },
  fc.constantFrom('HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'get', 'FOO', 'CONNECT'),
);
const header = fc.oneof(
  fc.constantFrom(
    'Content-Type: text/plain',
    'Content-Type: application/json; charset=utf-16',
    'Content-Type: application/json, application/json',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Type: ;;;',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Expect: the worst',
    'Upgrade: h2c',
    'Upgrade: websocket',
    'X-HTTP-Method-Override: DELETE',
    'X-Forwarded-Host: evil',
    'Range: bytes=0-99999999999',
    'If-None-Match: *',
    'Accept: */*;q=NaN',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Content-Length: 5',
    'Content-Length: -1',
    'Host: evil.example.com',
    'Origin: null',
    'Origin: http://[',
    'Authorization: Bearer x',
    'Sec-WebSocket-Protocol: bearer.x',
    'Broken header',
    ' folded: header',
    'Bad\0Name: x',
  ),
  fuzzText.map((text) => `X-Any: ${text.replaceAll(/[\r\n\0]/g, ' ').slice(0, 300)}`),
);

const routes = Object.entries<MethodDefinition>(methods).flatMap(([name, { rest }]) => {
  const method = name as MethodName;
  const call = { verb: 'POST', path: `/call/${name}`, method } as const;
  return rest ? [{ ...rest, method }, call] : [call];
});
const routed = fc.constantFrom(...routes).chain(({ verb, path, method }) =>
  fc.tuple(callsOf(method), fc.array(mutation, { maxLength: 1 })).map(([{ params }, mutations]) => {
    const rest = structuredClone(params) as Record<string, unknown>;
    const filled = path.replaceAll(/:(\w+)/g, (_whole, name: string) => {
      const value = rest[name];
      delete rest[name];
      return inTarget(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'x'));
    });
    for (const each of mutations) mutate(rest, each);
    return { verb, path: `/v1${filled}`.slice(0, 4_000), body: fillIn(rest, {}) };
  }),
);
const unrouted = fc
  .tuple(verbs, fc.array(pathPiece, { maxLength: 4 }), fuzzValue)
  .map(([verb, pieces, value]) => ({
    verb,
    path: `/v1/${['channels', ...pieces].join('/')}`,
    body: JSON.stringify(value),
  }));

const request: fc.Arbitrary<Request> = fc
  .tuple(
    fc.oneof({ weight: 2, arbitrary: routed }, unrouted),
    query,
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 2 })),
    fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.constant(false)),
    fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fuzzText),
  )
  .map(([{ verb, path, body }, search, headers, hasRightLength, other]) => ({
    verb,
    headers,
    hasRightLength,
    target: search === '' ? path : `${path}?${search}`,
    body: verb === 'GET' || verb === 'HEAD' ? '' : (other ?? body),
  }));

function textOf(
  { verb, target, headers, body, hasRightLength }: Request,
  port: number,
  token: string,
) {
  const length = Buffer.byteLength(body) + (hasRightLength ? 0 : 7);
  const lines = [
    `${verb} ${target} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: close',
    `Authorization: Bearer ${token}`,
    ...(body === '' && hasRightLength
      ? []
      : ['Content-Type: application/json', `Content-Length: ${length}`]),
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Returns null for a right answer. A server error is always wrong, and a refusal must have the standard shape. */
function problemOf({ verb, headers }: Request, { status, head, body }: RawAnswer): string | null {
  // Node closes on CONNECT, and refuses an Expect header other than 100-continue.
  if (status === null) return verb === 'CONNECT' ? null : 'no answer';
  if (status === 417 && headers.some((name) => name.startsWith('Expect'))) return null;
  if (status === 100) return null;
  if (status >= 500) return `${status} ${body}`;
  if (status < 400 || verb === 'HEAD') return null;
  if (headers.includes('Upgrade: websocket')) return null;
  try {
    const { error } = JSON.parse(body) as { error: { code?: unknown; message?: unknown } };
    if (typeof error.code === 'string' && typeof error.message === 'string') return null;
  } catch {
    // The code below reports the problem.
  }
  return `a refusal that is not of the standard shape: ${head}\n\n${body.slice(0, 300)}`;
}

export async function fuzzRest(target: Target, seed: number, runs: number): Promise<void> {
  let iteration = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 5, maxLength: 15 }), async (requests) => {
      const token = target.tokenOf(`rest-${iteration++ % 50}`);
      await Promise.all(
        requests.map(async (each) => {
          const text = textOf(each, target.port, token);
          const isHalfClosed =
            !each.hasRightLength || each.headers.some((name) => /^(Transfer|Content-L)/.test(name));
          const answer = await sendRaw(target.port, text, { isHalfClosed });
          const problem = problemOf(each, answer);
          if (problem !== null) throw new Error(`${problem}\nfor ${text.slice(0, 500)}`);
        }),
      );
      await target.assertUnharmed();
    }),
    iterationsOf(seed, runs),
  );
}
