import { expect, it } from '@jest/globals';
import { markWords } from './marked-words.ts';

const marked = (text: string, query: string) =>
  markWords(text, query)
    .map((part) => (part.isMarked ? `[${part.text}]` : part.text))
    .join('');

it('The words of a query are marked without regard to case and accents, phrases and prefixes too', () => {
  expect(marked('The Cache is slow', 'cache slow')).toBe('The [Cache] is [slow]');
  expect(marked('Où est le café?', 'cafe')).toBe('Où est le [café]?');
  expect(marked('deployed to prod', 'deploy*')).toBe('[deployed] to prod');
  expect(marked('cached', 'cache')).toBe('cached');
  expect(marked('', 'x')).toBe('');
  expect(marked('昨日、東京都庁で', '京都')).toBe('昨日、東[京都]庁で');
  expect(marked('昨日、東京都庁で', '都')).toBe('昨日、東京[都]庁で');
  expect(marked('API東京', 'api')).toBe('[API]東京');
});
