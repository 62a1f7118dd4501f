import { describe, expect, it } from '@jest/globals';
import { methods } from './methods.ts';
import { matchSearchTerms, parseSearchQuery, searchWords } from './search-words.ts';

describe('words of a search', () => {
  it('are runs of letters and digits, without case and accents', () => {
    expect(searchWords('Über-Größe: ﬁve ½ x_1 don’t ΟΔΟΣ İstanbul 東京 😀')).toEqual([
      'uber',
      'große',
      'five',
      '1',
      '2',
      'x',
      '1',
      'don',
      't',
      'οδοσ',
      'istanbul',
      '東京',
      '京',
    ]);
    expect(searchWords('')).toEqual([]);
  });

  it('are compared by their first 64 units, never by half a surrogate pair', () => {
    const [word] = searchWords('a'.repeat(100));
    expect(word).toBe('a'.repeat(64));
    const [wide = ''] = searchWords(`a${'𐐨'.repeat(50)}`);
    expect(wide).toHaveLength(63);
    expect(wide.isWellFormed()).toBe(true);
  });

  // NFKD sorts a run of marks in quadratic time. One message of 32 KiB blocked the event loop for 100 ms.
  it('are split in linear time, however many marks follow each other', () => {
    const fastestMs = (work: () => unknown) => {
      const times = Array.from({ length: 3 }, () => {
        const fromMs = performance.now();
        work();
        return performance.now() - fromMs;
      });
      return Math.min(...times);
    };
    const text = `a${'\u0301'.repeat(8_000)}${'\u0316'.repeat(8_000)}b`;
    expect(searchWords(text)).toEqual(['ab']);
    const decompositionMs = fastestMs(() => text.normalize('NFKD'));
    expect(fastestMs(() => searchWords(text))).toBeLessThan(decompositionMs / 5);
  });

  it('in a query may be phrases and prefixes', () => {
    expect(parseSearchQuery('Deploy* "is not" x "open end')).toEqual([
      { words: ['deploy'], isPrefix: true },
      { words: ['is', 'not'], isPrefix: false },
      { words: ['x'], isPrefix: false },
      { words: ['open', 'end'], isPrefix: false },
    ]);
    expect(parseSearchQuery('a-b* * "" "…" a')).toEqual([
      { words: ['a'], isPrefix: false },
      { words: ['b'], isPrefix: true },
    ]);
  });

  // The fault: a text without spaces was one word, so a word within it was never found.
  it('are pairs of characters in scripts without spaces', () => {
    expect(searchWords('API東京都へ')).toEqual(['api', '東京', '京都', '都へ', 'へ']);
    const at = (text: string, query: string) => matchSearchTerms(text, parseSearchQuery(query));
    const text = '昨日、東京都庁でデプロイが失敗した (build 7)';
    for (const query of [
      '都庁',
      '東京都庁',
      '失敗 デプロイ',
      '都',
      '昨日',
      '"失敗した build"',
      'ﾃﾞﾌﾟﾛｲ',
    ])
      expect([query, at(text, query)]).toEqual([query, expect.any(Number)]);
    for (const query of ['庁都', '京庁', '東都', '大阪', '"昨日 失敗"', '都庁 大'])
      expect([query, at(text, query)]).toEqual([query, null]);
    expect(at(text, '都庁')).toBeCloseTo(5 / text.length, 1);
    expect(at('ระบบล่มเมื่อวานนี้', 'เมื่อวาน')).not.toBeNull();
    expect(at('他说部署已经完成', '部署')).not.toBeNull();
    // Korean has spaces between words.
    expect(searchWords('서울 시청')).toHaveLength(2);
  });

  it('must all occur in a text', () => {
    const at = (text: string, query: string) => matchSearchTerms(text, parseSearchQuery(query));
    expect(at('one two three', 'three one')).toBe(0);
    expect(at('one two three', '"two three"')).toBeCloseTo(4 / 13);
    expect(at('one two three', '"three two"')).toBeNull();
    expect(at('one two three', 'one four')).toBeNull();
    expect(at('one two three', 'th*')).toBeCloseTo(8 / 13);
  });
});

describe('the query of message.search', () => {
  it('has between one and sixteen words', () => {
    const isValid = (query: string) =>
      methods['message.search'].params.safeParse({ query }).success;
    expect(['a', 'a '.repeat(16), '"a b"', 'x*', '東'.repeat(200)].map(isValid)).toEqual(
      Array(5).fill(true),
    );
    const many = Array.from({ length: 17 }, (_, n) => `w${n}`).join(' ');
    expect(['', '*', '"', '…', many, 'a\0'].map(isValid)).toEqual(Array(6).fill(false));
  });
});
