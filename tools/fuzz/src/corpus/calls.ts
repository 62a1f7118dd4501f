import { limits } from '@openclaw/protocol';
import { callText as call, repeated as times, type CallCase } from './call-case.ts';
import { paramCases } from './params.ts';
import { awkwardTexts } from './texts.ts';

const json = JSON.stringify;

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

const notCalls: CallCase[] = [
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
  // JavaScript cannot represent these valid JSON numbers exactly.
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
  ...awkwardTexts.map((text) => ({
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
  ...awkwardTexts.map((text) => ({
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
    name: 'a batch without a valid call',
    text: '[1,null,"x"]',
    answers: [-32600, -32600, -32600],
    id: null,
  },
  // The hub makes no calls, so it ignores a response.
  { name: 'a response', text: '{"jsonrpc":"2.0","id":"x","result":{}}', answers: [] },
  { name: 'an error', text: '{"jsonrpc":"2.0","id":null,"error":{"code":1}}', answers: [] },
  { name: 'a result of undefined form', text: '{"result":null}', answers: [] },
  {
    name: 'a call with a result',
    text: '{"jsonrpc":"2.0","id":"x","method":"ping","result":1}',
    answers: ['ok'],
  },
  {
    name: 'a batch of a response and a call',
    text: `[{"jsonrpc":"2.0","id":"y","result":1},${call('ping', '{}')}]`,
    answers: ['ok'],
  },
  {
    name: 'a batch of one good call and one bad',
    text: `[${call('ping', '{}')},${call('no', '{}')}]`,
    answers: ['ok', -32601],
  },
];

export const callCases: readonly CallCase[] = [
  ...notJson,
  ...notCalls,
  ...ids,
  ...envelopes,
  ...paramCases,
];
