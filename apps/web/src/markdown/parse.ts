import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

const cacheMax = 600;
// Longer texts are reports and dumps: parsing them could hold up the page, so they are shown as they are.
const parsedCharsMax = 12_000;
const special = /[*_`~#>[\]<|\\&\n@:]|www\.|^\s*(?:[-+=]|\d+[.)])|^\s{4}|\t/;

const extensions = [gfm()];
const mdastExtensions = [gfmFromMarkdown()];
const cache = new Map<string, Root>();

/** A text's Markdown as a tree. The last few hundred are remembered, since lists are drawn again and again. */
export function parseMarkdown(content: string): Root {
  const known = cache.get(content);
  if (known !== undefined) return known;
  const root = parse(content);
  cache.set(content, root);
  const oldest = cache.size > cacheMax ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  return root;
}

function parse(content: string): Root {
  if (content.length > parsedCharsMax || !special.test(content)) return plain(content);
  try {
    return fromMarkdown(content, { extensions, mdastExtensions });
  } catch {
    // Nesting too deep for the parser's stack is not meant to be read as structure.
    return plain(content);
  }
}

const plain = (value: string): Root => ({
  type: 'root',
  children: [{ type: 'paragraph', children: [{ type: 'text', value }] }],
});
