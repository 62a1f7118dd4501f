import { limits } from '@openclaw/protocol';
import { callText as call, repeated as times, type CallCase } from './call-case.ts';
import { invalidIds } from './texts.ts';

const json = JSON.stringify;
const channel = 'corpus';

export const paramCases: readonly CallCase[] = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((key) => ({
    name: `the param ${key}`,
    text: call('ping', `{"${key}":{"isAdmin":true}}`),
    answers: [-32602],
  })),
  ...['__proto__', 'constructor', 'prototype'].map((key) => ({
    name: `the metadata key ${key}`,
    text: call(
      'message.send',
      `{"channelId":"${channel}","content":"x","metadata":{"a":[{"${key}":1}]}}`,
    ),
    answers: [-32602],
  })),
  {
    name: 'metadata keys that look dangerous and are allowed',
    text: call(
      'message.send',
      `{"channelId":"${channel}","content":"x","metadata":{"toString":1,"":2,"valueOf":[]}}`,
    ),
    answers: ['ok'],
  },
  ...[
    '"from":-1,"text":"x"',
    '"from":0.5,"text":"x"',
    '"from":1e308,"text":"x"',
    '"from":0,"text":"\\ud83d"',
    '"from":0,"text":null',
  ].map((fields) => ({
    name: `an append with ${fields}`,
    text: call('message.append', `{"channelId":"${channel}","messageId":"m",${fields}}`),
    answers: [-32602],
  })),
  {
    name: 'an append to a message that does not exist',
    text: call('message.append', json({ channelId: channel, messageId: 'm', from: 9, text: '' })),
    answers: ['not_found'],
  },
  {
    name: 'a message without content that does not grow',
    text: call('message.send', json({ channelId: channel, content: '', stream: false })),
    answers: [-32602],
  },
  ...invalidIds.map((id) => ({
    name: `the channelId ${json(id.slice(0, 24))}`,
    text: call('channel.get', json({ channelId: id })),
    answers: [-32602],
  })),
  ...['constructor', 'toString', 'hasOwnProperty', 'valueOf', '0', 'null', 'a..b', 'x|y@z~'].map(
    (id) => ({
      name: `the channelId ${id}, which is valid`,
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
    '\u200d',
    '\u202e',
    '\ufe0f',
    'ok\u200b',
    '\u3164',
    '\u0301',
    'x'.repeat(65),
  ].map((emoji) => ({
    name: `the emoji ${json(emoji)}`,
    text: call('reaction.add', json({ channelId: channel, messageId: 'm', emoji })),
    answers: [-32602],
  })),
  ...['1481220477346119781', '-9007199254740992', '1e308', '1e999', `${'9'.repeat(400)}`].flatMap(
    (number) => [
      {
        name: `metadata with the number ${number.slice(0, 24)}`,
        text: call(
          'message.send',
          `{"channelId":"${channel}","content":"x","metadata":{"a":[${number}]}}`,
        ),
        answers: [-32602],
      },
      {
        name: `a payload with the number ${number.slice(0, 24)}`,
        text: call(
          'collaboration.emit',
          `{"channelId":"${channel}","name":"n","payload":{"a":{"b":${number}}}}`,
        ),
        answers: [-32602],
      },
    ],
  ),
  ...['hub.channel', 'turn.state', 'message.'].map((name) => ({
    name: `the event name ${name}, which is the hub’s`,
    text: call('collaboration.emit', json({ channelId: channel, name, payload: {} })),
    answers: ['forbidden'],
  })),
  ...['-1', '0.5', '50001', '"1"', 'null', 'true'].map((waitMs) => ({
    name: `log.read with waitMs ${waitMs}`,
    text: call('log.read', `{"channelId":"${channel}","after":0,"waitMs":${waitMs}}`),
    answers: [-32602],
  })),
  {
    name: 'log.read that waits past the largest seq',
    text: call('log.read', `{"channelId":"${channel}","after":9007199254740991,"waitMs":50000}`),
    answers: ['ok'],
  },
  ...[
    '@'.repeat(30_000),
    '`@a '.repeat(8_000),
    '[@a]('.repeat(6_000),
    `${'@a '.repeat(10_000)}@all`,
  ].map((content) => ({
    name: `mentions in ${json(content.slice(0, 24))}, repeated`,
    text: call('message.send', json({ channelId: channel, content, parseMentions: true })),
    answers: ['ok'],
  })),
  ...['name', 'newest'].flatMap((order) =>
    ['corpus', 'c', 'cW10', 'cW251bGwsImEiXQ', 'c'.repeat(2_000), '\0'].map((cursor) => ({
      name: `channel.list by ${order} with the cursor ${json(cursor.slice(0, 24))}`,
      text: call('channel.list', json({ order, cursor })),
      answers: [-32602],
    })),
  ),
  ...['\0', 'a\0b', '\ud800', '\udc00x', ''].map((content) => ({
    name: `the content ${json(content)}`,
    text: call('message.send', json({ channelId: channel, content })),
    answers: [-32602],
  })),
  {
    name: 'content with bidi controls, joiners, specials and characters beyond the first plane',
    text: call(
      'message.send',
      json({ channelId: channel, content: '\u202e\u2066\u200d\ufeff\uffff\u0001😀𐀀\u2028' }),
    ),
    answers: ['ok'],
  },
  {
    name: 'content over its limit by its bytes only',
    text: call(
      'message.send',
      json({ channelId: channel, content: '€'.repeat(limits.contentBytes / 3 + 1) }),
    ),
    answers: ['too_large'],
  },
  ...['-1', '0', '0.5', '1e308', '1e999', '201', '"1"', 'null', '[]', '9007199254740992'].map(
    (limit) => ({
      name: `the limit ${limit}`,
      text: call('message.history', `{"channelId":"${channel}","limit":${limit}}`),
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
      text: call(method, `{"channelId":"${channel}","${param}":${seq}}`),
      answers: [-32602],
    })),
  ),
  ...['message.history', 'log.read', 'read.mark'].map((method, index) => ({
    name: `${method} with the largest seq`,
    text: call(
      method,
      `{"channelId":"${channel}","${['after', 'after', 'seq'][index]}":9007199254740991}`,
    ),
    answers: ['ok'],
  })),
  ...['-1', '0.5', '1e308', '9007199254740992', '"1"'].map((since) => ({
    name: `since ${since}`,
    text: call('subscribe', `{"topics":[{"channelId":"${channel}","since":${since}}]}`),
    answers: [-32602],
  })),
  ...['channel.list', 'member.list', 'thread.list', 'presence.list'].flatMap((method) =>
    invalidIds.map((cursor) => ({
      name: `${method} with the forged cursor ${json(cursor.slice(0, 24))}`,
      text: call(
        method,
        json({ ...(method !== 'channel.list' && { channelId: channel }), cursor }),
      ),
      answers: [-32602],
    })),
  ),
  ...[
    ['channel.list', 'zzz'],
    ['member.list', 'zzz'],
    ['thread.list', 't999999999999999.zzz'],
    ['presence.list', 'zzz'],
  ].map(([method = '', cursor]) => ({
    name: `${method} with a forged cursor of the right form`,
    text: call(method, json({ ...(method !== 'channel.list' && { channelId: channel }), cursor })),
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
    text: call('subscribe', `{"topics":[${times(1000, `{"channelId":"${channel}","since":0}`)}]}`),
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
      `{"channelId":"${channel}","content":"x","metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    ),
    answers: [-32602],
  },
];
