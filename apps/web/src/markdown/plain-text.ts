import type { Nodes } from 'mdast';
import { markdownTree } from './parse.ts';
import { withRecentResults } from './recent-results.ts';

// One line shows only the beginning of a text, so the rest is not parsed.
const readCharsMax = 1_500;
const depthMax = 24;
const resultsMax = 1_000;
/** Matches the line between the head and the body of a table. */
const tableRule = /\|(?:\s*:?-{2,}:?\s*\|)+/;
/** Matches a mark of emphasis or code at the edge of a word, if the other half of the mark was cut off. */
const halves =
  /(?<![\p{L}\p{N}])(?:\*\*|__|~~|`{1,3})(?=\S)|(?<=\S)(?:\*\*|__|~~|`{1,3})(?![\p{L}\p{N}])/gu;

/**
 * Returns a message's text in one line without Markdown, for places that do not show the message itself. The text may
 * be a piece that was cut out of a message.
 */
export const plainText = withRecentResults(resultsMax, (content) => {
  const parts: string[] = [];
  collect(markdownTree(content.slice(0, readCharsMax)), parts, 0);
  const text = parts.join('');
  // A piece of a message has no line breaks, so the parser does not find a table in it.
  const plain = tableRule.test(text) ? text.replace(tableRule, ' ').replace(/\|/g, ' ') : text;
  return plain.replace(/\s+/g, ' ').trim();
});

function collect(node: Nodes, parts: string[], depth: number): void {
  if (depth > depthMax) return;
  switch (node.type) {
    case 'text':
      return void parts.push(node.value.replace(halves, ''));
    case 'inlineCode':
    case 'html':
      return void parts.push(node.value);
    case 'code':
      return void parts.push(node.value, ' ');
    case 'image':
    case 'imageReference':
      return void parts.push(node.alt ?? '');
    case 'footnoteReference':
      return void parts.push(`[^${node.label ?? node.identifier}]`);
    case 'break':
      return void parts.push(' ');
    case 'definition':
      return void parts.push(node.url, ' ');
    case 'listItem':
      if (typeof node.checked === 'boolean') parts.push(node.checked ? '☑ ' : '☐ ');
      else parts.push('• ');
  }
  if (!('children' in node)) return;
  for (const child of node.children) collect(child, parts, depth + 1);
  if (!inlineTypes.has(node.type)) parts.push(' ');
}

const inlineTypes: ReadonlySet<string> = new Set([
  ...['strong', 'emphasis', 'delete', 'link', 'linkReference'],
]);
