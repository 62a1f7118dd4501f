import { expect, it } from '@jest/globals';
import type { Question } from '@openclaw/protocol';
import { waitsOf, waitsText } from './waits.ts';

const nowMs = 10_000;
const ask = { from: 'ana', to: ['ben', 'eve', 'dan'], deadlineMs: nowMs + 1 };
const question: Question = {
  ...{ questionId: 'q', channelId: 'c', threadId: null, openedBy: 'ana', title: 'So?' },
  ...{ options: [], responders: ['pia'], quorum: 1, expiresMs: null, state: 'open' },
  ...{ optionId: null, text: null, answers: [] },
};
const none = { openAsks: new Map(), answers: new Map(), questions: new Map() };

it('an agent waits for those who have not done what it asked, and for its open questions', () => {
  const answers = new Map([
    [
      'm1',
      new Map([
        ['ben', { state: 'accepted' as const, note: null }],
        ['eve', { state: 'done' as const, note: null }],
      ]),
    ],
  ]);
  const asked = { ...none, openAsks: new Map([['m1', ask]]), answers };
  const waits = waitsOf([asked, { ...none, questions: new Map([['q', question]]) }], nowMs);
  expect([...(waits.get('ana') ?? [])]).toEqual(['ben', 'dan', 'pia']);
  // After the deadline, the agent no longer waits for addressees that have not answered.
  expect([...(waitsOf([asked], nowMs + 1).get('ana') ?? [])]).toEqual(['ben']);
  const ended = new Map([['q', { ...question, state: 'answered' as const }]]);
  expect(waitsOf([{ ...none, questions: ended }], nowMs).size).toBe(0);
});

it('the text has a bounded length', () => {
  expect(waitsText(undefined)).toBeNull();
  expect(waitsText(new Set(['a', 'b']))).toBe('waits for a, b');
  expect(waitsText(new Set(['a', 'b', 'c', 'd', 'e']))).toBe('waits for a, b, c and 2 others');
});
