import { limits } from '@openclaw/protocol';
import { hostileIds, hostileTexts } from './texts.ts';

/** A text frame, and the answers that it must get, by JSON-RPC code or the `data.code` of a refusal; `ok` is a result. */
export interface CallCase {
  readonly name: string;
  readonly text: string;
  readonly answers: readonly (number | string)[];
  /** The id that each answer carries. @default that of the call */
  readonly id?: string | number | null;
}

const call = (method: string, params: string, id = '"x"') =>
  `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`;
const json = JSON.stringify;
const times = (count: number, text: string) => Array<string>(count).fill(text).join(',');
const room = 'corpus';

const notJson: CallCase[] = [
  ['nothing', ''],
  ['a space', ' '],
  ['a brace', '{'],
  ['a byte order mark', '\ufeff{}'],
  ['NaN', 'NaN'],
  ['a comment', '/* */{}'],
  ['single quotes', "{'jsonrpc':'2.0'}"],
  ['a trailing comma', '[1,]'],
  ['a control character in a string', '{"a":"\u0001"}'],
  ['two objects', '{}{}'],
  ['brackets that never close', '['.repeat(100_000)],
  ['a number that never ends', `-${'1'.repeat(200_000)}e`],
].map(([name = '', text = '']) => ({ name, text, answers: [-32700], id: null }));

const noCall: CallCase[] = [
  ['a string', '"text"'],
  ['a number', '1e308'],
  ['null', 'null'],
  ['an empty object', '{}'],
  ['only a __proto__', '{"__proto__":{"jsonrpc":"2.0","id":"x","method":"ping"}}'],
  ['100,000 objects within each other', `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`],
  ['an empty batch', '[]'],
  ['too many in a batch', `[${times(limits.batch + 1, call('ping', '{}'))}]`],
].map(([name = '', text = '']) => ({ name, text, answers: [-32600], id: null }));

const ids: CallCase[] = [
  ...['{}', '[]', 'true', '{"toString":1}', '[["x"]]'].map((id) => ({
    name: `the id ${id}`,
    text: call('ping', '{}', id),
    answers: [-32600],
    id: null,
  })),
  // JSON can say these, but no answer could carry them back as they were.
  ...['1e999', '-1e999', '9007199254740993', '1e308'].map((id) => ({
    name: `the id ${id}`,
    text: call('ping', '{}', id),
    answers: [-32600],
    id: null,
  })),
  ...['0', '-0', '0.5', '9007199254740991', '-1'].map((id) => ({
    name: `the id ${id}`,
    text: call('ping', '{}', id),
    answers: ['ok'],
    id: Number(id) + 0,
  })),
  ...hostileTexts.map((text) => ({
    name: `the id ${json(text.slice(0, 24))}`,
    text: call('ping', '{}', json(text)),
    answers: ['ok'],
    id: text,
  })),
  { name: 'the id null', text: call('ping', '{}', 'null'), answers: ['ok'], id: null },
  { name: 'an id twice', text: `{"id":"y",${call('ping', '{}').slice(1)}`, answers: ['ok'] },
  {
    name: 'an id of 200,000 characters',
    text: call('ping', '{}', json('i'.repeat(200_000))),
    answers: ['ok'],
    id: 'i'.repeat(200_000),
  },
  { name: 'no id, and a good call', text: '{"jsonrpc":"2.0","method":"ping"}', answers: [] },
  { name: 'no id, and a bad call', text: '{"jsonrpc":"2.0","method":"no"}', answers: [] },
];

const envelopes: CallCase[] = [
  {
    name: 'jsonrpc as a number',
    text: '{"jsonrpc":2.0,"id":"x","method":"ping"}',
    answers: [-32600],
  },
  { name: 'no jsonrpc', text: '{"id":"x","method":"ping"}', answers: [-32600] },
  {
    name: 'a method that is an array',
    text: '{"jsonrpc":"2.0","id":"x","method":["ping"]}',
    answers: [-32600],
  },
  { name: 'params that are a string', text: call('ping', '"x"'), answers: [-32600] },
  { name: 'params that are null', text: call('ping', 'null'), answers: [-32600] },
  { name: 'params by position', text: call('ping', '[]'), answers: [-32602] },
  {
    name: 'a method twice, the last good',
    text: `{"method":"no",${call('ping', '{}').slice(1)}`,
    answers: ['ok'],
  },
  ...hostileTexts.map((text) => ({
    name: `the method ${json(text.slice(0, 24))}`,
    text: call(text, '{}'),
    answers: [-32601],
  })),
  {
    name: 'batches within batches',
    text: `[[${call('ping', '{}')}],[[]]]`,
    answers: [-32600, -32600],
    id: null,
  },
  {
    name: 'a batch of what is no call',
    text: '[1,null,"x"]',
    answers: [-32600, -32600, -32600],
    id: null,
  },
  {
    name: 'a batch of one good call and one bad',
    text: `[${call('ping', '{}')},${call('no', '{}')}]`,
    answers: ['ok', -32601],
  },
];

const params: CallCase[] = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((key) => ({
    name: `the param ${key}`,
    text: call('ping', `{"${key}":{"isAdmin":true}}`),
    answers: [-32602],
  })),
  ...['__proto__', 'constructor', 'prototype'].map((key) => ({
    name: `the metadata key ${key}`,
    text: call(
      'message.send',
      `{"channelId":"${room}","content":"x","metadata":{"a":[{"${key}":1}]}}`,
    ),
    answers: [-32602],
  })),
  {
    name: 'metadata keys that only sound bad',
    text: call(
      'message.send',
      `{"channelId":"${room}","content":"x","metadata":{"toString":1,"":2,"valueOf":[]}}`,
    ),
    answers: ['ok'],
  },
  ...hostileIds.map((id) => ({
    name: `the channelId ${json(id.slice(0, 24))}`,
    text: call('channel.get', json({ channelId: id })),
    answers: [-32602],
  })),
  ...['constructor', 'toString', 'hasOwnProperty', 'valueOf', '0', 'null', 'a..b', 'x|y@z~'].map(
    (id) => ({
      name: `the channelId ${id}, which is one like any other`,
      text: call('channel.get', json({ channelId: id })),
      answers: ['not_found'],
    }),
  ),
  ...[
    'constructor',
    '__proto__',
    'toString',
    ' ',
    'a b',
    '\0',
    '\ud800',
    '\u2028',
    'x'.repeat(65),
  ].map((emoji) => ({
    name: `the emoji ${json(emoji)}`,
    text: call('reaction.add', json({ channelId: room, messageId: 'm', emoji })),
    answers: [-32602],
  })),
  ...['\0', 'a\0b', '\ud800', '\udc00x', ''].map((content) => ({
    name: `the content ${json(content)}`,
    text: call('message.send', json({ channelId: room, content })),
    answers: [-32602],
  })),
  {
    name: 'content of bidi, joiners, specials and planes beyond the first',
    text: call(
      'message.send',
      json({ channelId: room, content: '\u202e\u2066\u200d\ufeff\uffff\u0001😀𐀀\u2028' }),
    ),
    answers: ['ok'],
  },
  {
    name: 'content over its limit by its bytes only',
    text: call(
      'message.send',
      json({ channelId: room, content: '€'.repeat(limits.contentBytes / 3 + 1) }),
    ),
    answers: ['too_large'],
  },
  ...['-1', '0', '0.5', '1e308', '1e999', '201', '"1"', 'null', '[]', '9007199254740992'].map(
    (limit) => ({
      name: `the limit ${limit}`,
      text: call('message.history', `{"channelId":"${room}","limit":${limit}}`),
      answers: [-32602],
    }),
  ),
  ...['-1', '0.5', '1e308', '-1e999', '9007199254740992', '"0"', 'true', '{}'].flatMap((seq) =>
    [
      ['message.history', 'before'],
      ['log.read', 'after'],
      ['read.mark', 'seq'],
    ].map(([method = '', param = '']) => ({
      name: `${method} with ${param} ${seq}`,
      text: call(method, `{"channelId":"${room}","${param}":${seq}}`),
      answers: [-32602],
    })),
  ),
  ...['message.history', 'log.read', 'read.mark'].map((method, index) => ({
    name: `${method} with the largest seq`,
    text: call(
      method,
      `{"channelId":"${room}","${['after', 'after', 'seq'][index]}":9007199254740991}`,
    ),
    answers: ['ok'],
  })),
  ...['-1', '0.5', '1e308', '9007199254740992', '"1"'].map((since) => ({
    name: `since ${since}`,
    text: call('subscribe', `{"topics":[{"channelId":"${room}","since":${since}}]}`),
    answers: [-32602],
  })),
  ...['channel.list', 'member.list', 'thread.list', 'presence.list'].flatMap((method) =>
    hostileIds.map((cursor) => ({
      name: `${method} with the forged cursor ${json(cursor.slice(0, 24))}`,
      text: call(method, json({ ...(method !== 'channel.list' && { channelId: room }), cursor })),
      answers: [-32602],
    })),
  ),
  ...['channel.list', 'member.list', 'thread.list', 'presence.list'].map((method) => ({
    name: `${method} with a forged cursor of the right form`,
    text: call(
      method,
      json({ ...(method !== 'channel.list' && { channelId: room }), cursor: 'zzz' }),
    ),
    answers: ['ok'],
  })),
  {
    name: '130,000 topics',
    text: call('subscribe', `{"topics":[${times(130_000, '0')}]}`),
    answers: [-32602],
  },
  {
    name: '80,000 empty topics',
    text: call('subscribe', `{"topics":[${times(80_000, '{}')}]}`),
    answers: [-32602],
  },
  {
    name: 'one topic a thousand times',
    text: call('subscribe', `{"topics":[${times(1000, `{"channelId":"${room}","since":0}`)}]}`),
    answers: ['ok'],
  },
  {
    name: '20,000 unknown params',
    text: call(
      'ping',
      json(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 0]))),
    ),
    answers: [-32602],
  },
  {
    name: 'metadata 100,000 levels deep',
    text: call(
      'message.send',
      `{"channelId":"${room}","content":"x","metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    ),
    answers: [-32602],
  },
];

/** Every text frame of the corpus. */
export const callCases: readonly CallCase[] = [
  ...notJson,
  ...noCall,
  ...ids,
  ...envelopes,
  ...params,
];
