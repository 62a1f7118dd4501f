import { h, type ComponentChild } from 'preact';
import type { Nodes, Parent, Root } from 'mdast';
import { CodeBlock, visible } from './code-block.ts';

export interface MentionContext {
  readonly me: string;
  readonly mentions: readonly string[];
}

const allowedSchemes: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
// Bounds the recursion. Real messages are not nested more deeply.
const depthMax = 24;
const mentionPattern = /@([A-Za-z0-9][A-Za-z0-9._@|~-]{0,127})/g;

const plainTags = { strong: 'strong', emphasis: 'em', delete: 'del', tableRow: 'tr' } as const;
const blockTags = { paragraph: 'p', blockquote: 'blockquote', tableCell: 'td' } as const;

/** HTML in the text is shown as text and never becomes markup. */
export function renderMarkdown(root: Root, context: MentionContext): ComponentChild {
  return children(root, context, 0);
}

function renderText(text: string, context: MentionContext): ComponentChild[] {
  const drawn: ComponentChild[] = [];
  let end = 0;
  for (const match of text.matchAll(mentionPattern)) {
    const name = (match[1] ?? '').replace(/[._-]+$/, '');
    if (!context.mentions.includes(name)) continue;
    drawn.push(...visible(text.slice(end, match.index)));
    const isMe = name === context.me;
    drawn.push(h('span', { class: isMe ? 'mention mention-me' : 'mention' }, `@${name}`));
    end = match.index + 1 + name.length;
  }
  drawn.push(...visible(text.slice(end)));
  return drawn;
}

function children(node: Parent, context: MentionContext, depth: number): ComponentChild[] {
  return node.children.map((child) => draw(child as Nodes, context, depth + 1));
}

function draw(node: Nodes, context: MentionContext, depth: number): ComponentChild {
  if (depth > depthMax) return '…';
  const inner = () => children(node as Parent, context, depth);
  switch (node.type) {
    case 'text':
      return renderText(node.value, context);
    case 'strong':
    case 'emphasis':
    case 'delete':
    case 'tableRow':
      return h(plainTags[node.type], null, inner());
    case 'paragraph':
    case 'blockquote':
    case 'tableCell':
      return h(blockTags[node.type], { dir: 'auto' }, inner());
    case 'heading':
      // A message must not add headings to the outline of the page.
      return h('p', { dir: 'auto', class: `heading heading-${Math.min(node.depth, 3)}` }, inner());
    case 'inlineCode':
      return h('code', { dir: 'ltr' }, visible(node.value));
    case 'code':
      return h(CodeBlock, { text: node.value, language: node.lang ?? null });
    case 'list':
      return node.ordered
        ? h('ol', { dir: 'auto', start: node.start ?? 1 }, inner())
        : h('ul', { dir: 'auto' }, inner());
    case 'listItem':
      return h('li', null, checkbox(node.checked), inner());
    case 'break':
      return h('br', null);
    case 'thematicBreak':
      return h('hr', null);
    case 'link':
      return link(node.url, inner());
    case 'image':
      // Loading an image would reveal to its host who reads the message, so it is shown as a link.
      return link(node.url, ['🖼 ', ...visible(node.alt || node.url)]);
    case 'table':
      return h('div', { class: 'table', tabIndex: 0 }, h('table', null, h('tbody', null, inner())));
    case 'html':
      return visible(node.value);
    case 'linkReference':
    case 'footnoteDefinition':
      return inner();
    case 'imageReference':
      return visible(node.alt ?? '');
    case 'footnoteReference':
      return visible(`[^${node.label ?? node.identifier}]`);
    case 'definition':
      return h('p', { dir: 'auto' }, link(node.url, visible(node.url)));
    default:
      return 'children' in node ? inner() : null;
  }
}

function checkbox(checked: boolean | null | undefined): ComponentChild {
  if (checked === null || checked === undefined) return null;
  return checked ? '☑ ' : '☐ ';
}

function link(url: string, inner: ComponentChild[]): ComponentChild {
  const href = safeLink(url);
  if (href === null) return h('span', { class: 'unlinked' }, inner);
  const hash = hashInPage(href);
  if (hash !== null) return h('a', { href: hash }, inner);
  return h('a', { href, target: '_blank', rel: 'noreferrer noopener', title: href }, inner);
}

function hashInPage(href: string): string | null {
  if (typeof document === 'undefined') return null;
  const base = new URL('.', document.baseURI).href;
  return href.startsWith(`${base}#/`) ? href.slice(base.length) : null;
}

/** Returns null unless the address is absolute and has an allowed scheme. */
export function safeLink(url: string): string | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  return allowedSchemes.has(parsed.protocol) ? parsed.href : null;
}
