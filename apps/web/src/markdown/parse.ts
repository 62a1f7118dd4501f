import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { withRecentResults } from './recent-results.ts';

const cacheMax = 600;
// Parsing a longer text could block the page, so the page shows it as plain text. Such texts are mostly dumps of logs
// or data.
const parsedCharsMax = 12_000;
const special = /[*_`~#>[\]<|\\&\n@:]|www\.|^\s*(?:[-+=]|\d+[.)])|^\s{4}|\t/;

const extensions = [gfm()];
const mdastExtensions = [gfmFromMarkdown()];

/** Results are remembered, because the same rows are rendered repeatedly. */
export const parseMarkdown = withRecentResults(cacheMax, markdownTree);

export function markdownTree(content: string): Root {
  if (content.length > parsedCharsMax || !special.test(content) || isCostly(content)) {
    return plain(content);
  }
  try {
    return fromMarkdown(content, { extensions, mdastExtensions });
  } catch {
    // The parser's stack overflowed. Nesting as deep as this is no real formatting.
    return plain(content);
  }
}

const plain = (value: string): Root => ({
  type: 'root',
  children: [{ type: 'paragraph', children: [{ type: 'text', value }] }],
});

// The time to parse grows with the square of the number of delimiters or of nested blocks. Real messages have far
// fewer.
const delimitersMax = 400;
const deepNesting = /^[ \t]*(?:(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))[ \t]*){20}/;
const delimiter = /[*_`~[\]!]/g;

/** True when parsing could block the page. Fenced code is parsed quickly, so it does not count. */
export function isCostly(content: string): boolean {
  let delimiters = 0;
  let fence: string | null = null;
  for (const line of content.split('\n')) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1] ?? null;
    if (mark !== null && (fence === null || fence === mark)) fence = fence === null ? mark : null;
    if (fence !== null) continue;
    delimiters += line.match(delimiter)?.length ?? 0;
    if (delimiters > delimitersMax || deepNesting.test(line)) return true;
  }
  return false;
}
