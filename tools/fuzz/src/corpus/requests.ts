import { limits } from '@openclaw/protocol';

export interface RequestCase {
  readonly name: string;
  readonly request: string | Uint8Array;
  readonly status: number;
  readonly code?: string;
}

const crlf = '\r\n';
const host = 'Host: localhost';

const ask = (line: string, headers: readonly string[] = [], body: string | Uint8Array = '') =>
  Buffer.concat([
    Buffer.from([`${line} HTTP/1.1`, host, 'Connection: close', ...headers, '', ''].join(crlf)),
    Buffer.from(body as Uint8Array),
  ]);
const post = (body: string | Uint8Array, target = '/v1/channels?agent=ana') =>
  ask(
    `POST ${target}`,
    ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`],
    body,
  );
const handshake = (headers: readonly string[], verb = 'GET') =>
  [`${verb} /v1/ws?agent=ana HTTP/1.1`, host, ...headers, '', ''].join(crlf);
const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
const version = 'Sec-WebSocket-Version: 13';
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

const bodies: RequestCase[] = [
  ...[
    ['250,000 characters', JSON.stringify('x'.repeat(250_000))],
    ['an array of 130,000', `[${'0,'.repeat(129_999)}0]`],
    ['a number', '1e308'],
    ['null', 'null'],
    ['true', 'true'],
  ].map(([name, body = '']) => ({
    name: `a body that is ${name}`,
    request: post(body),
    status: 400,
    code: 'invalid_params',
  })),
  ...[
    ['100,000 brackets', '['.repeat(100_000)],
    [
      'no UTF-8',
      Buffer.from([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    ],
    ['of a poisoned prototype', '{"name":"x","__proto__":{"isAdmin":true}}'],
    ['of a poisoned constructor', '{"name":"x","metadata":{"constructor":{"prototype":{"a":1}}}}'],
  ].map(([name, body]) => ({
    name: `a body that is ${name as string}`,
    request: post(body as string | Uint8Array),
    status: 400,
    code: 'invalid_request',
  })),
  {
    name: 'no body, though it says JSON',
    request: post(''),
    status: 400,
    code: 'invalid_params',
  },
  {
    name: 'a body that is gzip',
    request: post(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
    status: 415,
    code: 'invalid_request',
  },
  {
    name: 'a Content-Length over the limit and no body',
    request: ask('POST /v1/channels?agent=ana', [
      'Content-Type: application/json',
      `Content-Length: ${limits.frameBytes + 1}`,
    ]),
    status: 413,
    code: 'too_large',
  },
];

const targets: RequestCase[] = [
  ...[
    '..%2f..%2fetc%2fpasswd',
    'a%00b',
    'a%0d%0aSet-Cookie:x=y',
    '%ED%A0%80',
    'a:b',
    '%7Ba%7D',
  ].map((id) => ({
    name: `the channelId ${id}`,
    request: ask(`GET /v1/channels/${id}?agent=ana`),
    status: 400,
  })),
  ...['/v1/../healthz', '/%2e%2e/etc/passwd', '//v1/channels', '/v1/channels/a/../b'].map(
    (path) => ({
      name: `the path ${path.slice(0, 24)}`,
      request: ask(`GET ${path}?agent=ana`),
      status: 404,
      code: 'not_found',
    }),
  ),
  { name: 'no channelId', request: ask('GET /v1/channels/?agent=ana'), status: 400 },
  {
    name: 'a channelId of 300 characters',
    request: ask(`GET /v1/channels/${'x'.repeat(300)}?agent=ana`),
    status: 414,
    code: 'invalid_request',
  },
  {
    name: 'a percent sign alone',
    request: ask('GET /v1/%?agent=ana'),
    status: 400,
    code: 'invalid_request',
  },
  // Unknown query params are ignored, even with names of Object's properties.
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'anything'].map((name) => ({
    name: `the query ${name}`,
    request: ask(`GET /v1/channels?agent=ana&${name}=1`),
    status: 200,
  })),
  {
    name: 'a param twice',
    request: ask('GET /v1/channels?agent=ana&limit=1&limit=2'),
    status: 400,
    code: 'invalid_params',
  },
  ...['-1', '1e3', '0x10', '٣', '9007199254740993', ' 1', ''].map((limit) => ({
    name: `the limit "${limit}"`,
    request: ask(`GET /v1/channels?agent=ana&limit=${encodeURIComponent(limit)}`),
    status: 400,
    code: 'invalid_params',
  })),
];

const unreadable: RequestCase[] = [
  ['a word', `GARBAGE${crlf}${crlf}`],
  ['a WebSocket frame', '\x81\x85abcdhello'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00'],
  ['HTTP/9.9', `GET / HTTP/9.9${crlf}${host}${crlf}${crlf}`],
  ['a NUL in a header', `GET /healthz HTTP/1.1${crlf}${host}${crlf}X: a\0b${crlf}${crlf}`],
  ['a header without a colon', `GET /healthz HTTP/1.1${crlf}${host}${crlf}broken${crlf}${crlf}`],
  // In request smuggling, two servers disagree about where the body ends.
  [
    'two lengths',
    `POST /v1/channels HTTP/1.1${crlf}${host}${crlf}Content-Length: 5${crlf}Content-Length: 6${crlf}${crlf}{}`,
  ],
  [
    'a length and chunks',
    `POST /v1/channels HTTP/1.1${crlf}${host}${crlf}Content-Length: 5${crlf}Transfer-Encoding: chunked${crlf}${crlf}0${crlf}${crlf}`,
  ],
  [
    'a negative length',
    `POST /v1/channels HTTP/1.1${crlf}${host}${crlf}Content-Length: -1${crlf}${crlf}`,
  ],
].map(([name = '', request = '']) => ({
  name: `${name}, where a request should be`,
  request: Buffer.from(request, 'latin1'),
  status: 400,
  code: 'invalid_request',
}));

const upgrades: RequestCase[] = [
  // Java's HTTP client and `curl --http2` send these headers with every request.
  {
    name: 'an offer of HTTP/2',
    request: ask('GET /v1/channels?agent=ana', ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']),
    status: 200,
  },
  { name: 'no key', request: handshake([...upgrade, version]), status: 400 },
  {
    name: 'an invalid key',
    request: handshake([...upgrade, version, 'Sec-WebSocket-Key: x']),
    status: 400,
  },
  {
    name: 'an old version',
    request: handshake([...upgrade, 'Sec-WebSocket-Version: 7', key]),
    status: 400,
  },
  { name: 'another verb', request: handshake([...upgrade, version, key], 'POST'), status: 405 },
  {
    name: 'an invalid subprotocol',
    request: handshake([...upgrade, version, key, 'Sec-WebSocket-Protocol: a b, ,']),
    status: 400,
  },
];

export const requestCases: readonly RequestCase[] = [
  ...bodies,
  ...targets,
  ...unreadable,
  ...upgrades,
];
