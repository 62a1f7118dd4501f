import { expect, it } from '@jest/globals';
import { payloadSummary, typingSummary } from './summaries.ts';

it('A payload summary has the first fields, with long values cut and nested ones left out', () => {
  const payload = { step: 3, ok: true, tools: ['a', 'b'], more: {}, nothing: null, last: 1 };
  const summary = 'step 3 · ok yes · tools 2 items · more {…} · nothing – · …';
  expect(payloadSummary(payload)).toBe(summary);
  expect(payloadSummary({ text: 'x'.repeat(99) })).toHaveLength('text '.length + 49);
});

it('A typing summary names at most two agents', () => {
  expect(typingSummary([])).toBeNull();
  expect(typingSummary(['ada', 'bob'])).toBe('ada and bob are typing');
  expect(typingSummary(['a', 'b', 'c', 'd'])).toBe('a, b and 2 others are typing');
});
