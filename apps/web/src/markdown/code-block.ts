import { h, type ComponentChild } from 'preact';
import { signal } from '@preact/signals';
import { copyFrom } from '../page/clipboard.ts';
import type { HighlightedTree } from './highlighter.ts';
import { visibleText } from './visible-text.ts';

type Highlight = (language: string, text: string) => HighlightedTree | null;
type TreeNode = HighlightedTree['children'][number];

// A longer text would block the page for too long.
const highlightedCharsMax = 10_000;
const cacheMax = 200;

const highlighter = signal<Highlight | null>(null);
let isLoading = false;
const cache = new Map<string, HighlightedTree | null>();

function load() {
  if (isLoading) return;
  isLoading = true;
  import('./highlighter.ts').then(
    ({ highlight }) => (highlighter.value = highlight),
    // The code is readable without colours. The next code block tries to load them again.
    () => (isLoading = false),
  );
}

/** Null when the block has no colours, or none yet. Uses a cache, because rows are rendered repeatedly. */
function treeOf(language: string, text: string): HighlightedTree | null {
  const highlight = highlighter.value;
  if (highlight === null) {
    load();
    return null;
  }
  const key = `${language}\n${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const tree = highlight(language, text);
  cache.set(key, tree);
  const oldest = cache.size > cacheMax ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  return tree;
}

export function CodeBlock({ text, language }: { text: string; language: string | null }) {
  const name = language?.toLowerCase() ?? '';
  const isShort = text.length <= highlightedCharsMax;
  const tree =
    name !== '' && isShort && typeof document !== 'undefined' ? treeOf(name, text) : null;
  return h(
    'div',
    { class: 'code', dir: 'ltr' },
    h(
      'div',
      { class: 'code-tools' },
      language !== null && h('span', { class: 'language quiet ellipsis' }, visible(language)),
      h(
        'button',
        {
          type: 'button',
          class: 'copy-code quiet',
          'aria-label': 'Copy the code',
          onClick: (event: MouseEvent) => void copyFrom(event.currentTarget as HTMLElement, text),
        },
        'Copy',
      ),
    ),
    h(
      'pre',
      { tabIndex: 0 },
      h('code', null, tree === null ? visible(text) : tree.children.map(drawn)),
    ),
  );
}

/** Draws every element as a span, with its class names and no other property. */
function drawn(node: TreeNode): ComponentChild {
  if (node.type === 'text') return visible(node.value);
  if (node.type !== 'element') return null;
  const { className } = node.properties;
  const names = Array.isArray(className) ? className.join(' ') : '';
  return h('span', { class: names }, (node.children as TreeNode[]).map(drawn));
}

export function visible(text: string): ComponentChild[] {
  return visibleText(text).map((piece) =>
    'text' in piece
      ? piece.text
      : h('span', { class: 'escape quiet', title: 'An invisible character' }, piece.escape),
  );
}
