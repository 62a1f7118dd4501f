import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ComponentChild, VNode } from 'preact';
import { mentionAtCaret } from './mention-at-caret.ts';
import { isCostly, parseMarkdown } from './parse.ts';
import { plainText } from './plain-text.ts';
import { renderMarkdown, safeLink } from './render.ts';
import { visibleString } from './visible-text.ts';

const render = (content: string, mentions: string[] = []) =>
  renderMarkdown(parseMarkdown(content), { me: 'ada', mentions });

function drawnOf(node: VNode<Record<string, unknown>>): VNode<Record<string, unknown>> {
  if (typeof node.type !== 'function') return node;
  return (node.type as (props: object) => VNode<Record<string, unknown>>)(node.props);
}
function nodesOf(child: ComponentChild): VNode<Record<string, unknown>>[] {
  if (Array.isArray(child)) return child.flatMap((one: ComponentChild) => nodesOf(one));
  if (typeof child !== 'object' || child === null) return [];
  const node = drawnOf(child as VNode<Record<string, unknown>>);
  return [node, ...nodesOf(node.props.children as ComponentChild)];
}
function textOf(child: ComponentChild): string {
  if (Array.isArray(child)) return child.map((one: ComponentChild) => textOf(one)).join('');
  if (typeof child === 'string' || typeof child === 'number') return String(child);
  if (typeof child !== 'object' || child === null) return '';
  return textOf(drawnOf(child as VNode<Record<string, unknown>>).props.children as ComponentChild);
}
const tagsOf = (content: string) => nodesOf(render(content)).map(({ type }) => type);

const harmless = new Set(
  'p strong em del code pre blockquote ul ol li br hr a span div table tbody tr td button'.split(
    ' ',
  ),
);

describe('Markdown', () => {
  it('is rendered as elements: emphasis, code, lists, tables, quotes', () => {
    expect(tagsOf('a **b** _c_ ~~d~~ `e`')).toEqual(['p', 'strong', 'em', 'del', 'code']);
    expect(tagsOf('- a\n- b')).toEqual(expect.arrayContaining(['ul', 'li']));
    expect(tagsOf('> a')).toEqual(['blockquote', 'p']);
    expect(tagsOf('| a |\n|---|\n| b |')).toEqual(expect.arrayContaining(['table', 'tr', 'td']));
    expect(textOf(render('```ts\nlet a;\n```'))).toBe('tsCopylet a;');
  });

  it('with HTML shows the HTML as text', () => {
    const html = '<script>alert(1)</script> <img src=x onerror=alert(1)>';
    expect(textOf(render(html))).toContain('<script>alert(1)</script>');
    expect(tagsOf(html).every((tag) => harmless.has(tag as string))).toBe(true);
  });

  it('of any text is rendered as harmless elements and external links', () => {
    const piece = fc.constantFrom(
      ...[
        '<b>',
        '[x](javascript:a)',
        '![i](data:x)',
        '`',
        '**',
        '> ',
        '\n',
        '- ',
        '|',
        'http://a.b ',
      ],
      ...[
        '&lt;',
        '<!--',
        '[a]: vbscript:b',
        '\u202E',
        '@ada',
        '\\',
        '1. ',
        '    ',
        '~~~',
        '<a href=x>',
      ],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (parts) => {
        for (const { type, props } of nodesOf(render(parts.join('')))) {
          expect(harmless).toContain(type);
          expect(props).not.toHaveProperty('dangerouslySetInnerHTML');
          // The only handler is on the page's own button that copies the code.
          const names = Object.keys(props).filter(
            (name) => type !== 'button' || name !== 'onClick',
          );
          for (const name of names) expect(name).not.toMatch(/^on|^src$|^style$/);
          if (type === 'a') {
            expect(props.href).toMatch(/^(https?|mailto):/);
            expect(props.rel).toBe('noreferrer noopener');
          }
        }
      }),
    );
  });

  it('that is deeply nested or very long is rendered in a moment', () => {
    const contents = [
      '> '.repeat(10_000) + 'deep',
      '*_`['.repeat(2_900),
      '['.repeat(11_000),
      '*a_ '.repeat(2_900),
      `${'- '.repeat(2_000)}deep`,
      'x'.repeat(32_000),
    ];
    for (const content of contents) {
      const startMs = performance.now();
      expect(textOf(render(`${content.slice(0, 3_000)}end`))).toContain('end');
      expect(performance.now() - startMs).toBeLessThan(400);
    }
  });

  it('is parsed in long code and long reports, and not when parsing would be costly', () => {
    expect(isCostly(`\`\`\`json\n${'[["a"], ["b"]],\n'.repeat(300)}\`\`\`\nso`)).toBe(false);
    expect(isCostly('A *word* and `code`.\n'.repeat(60))).toBe(false);
    expect(isCostly(`${'-'.repeat(80)}\n> > > nested`)).toBe(false);
    expect(isCostly('> '.repeat(1_500))).toBe(true);
    expect(isCostly('*a_ '.repeat(700))).toBe(true);
  });

  it('highlights the agents that are mentioned, and no others', () => {
    const marked = nodesOf(render('@ada and @bob, not @eve.', ['ada', 'bob']));
    expect(marked.map(({ props }) => [props.class, props.children])).toEqual([
      [undefined, expect.anything()],
      ['mention mention-me', '@ada'],
      ['mention', '@bob'],
    ]);
  });
});

describe('a link', () => {
  it('may have the schemes http, https and mailto', () => {
    expect(safeLink('https://example.com/a')).toBe('https://example.com/a');
    expect(safeLink('mailto:a@example.com')).toBe('mailto:a@example.com');
    for (const url of [
      'javascript:a',
      ' JaVaScRiPt:a',
      'data:text/html,a',
      '/v1',
      '#a',
      'file:///a',
      'blob:a',
    ]) {
      expect(safeLink(url)).toBeNull();
    }
  });
});

describe('a text', () => {
  it('has its invisible and bidirectional characters named', () => {
    expect(visibleString('a\u202Eb\u0000c')).toBe('a‹U+202E›b‹U+0000›c');
    expect(visibleString('plain, עברית, 👩‍💻')).toBe('plain, עברית, 👩‍💻');
  });

  it('has text that hides in tags or between letters shown, and long runs cut', () => {
    const tags = (text: string) =>
      String.fromCodePoint(...[...text].map((one) => 0xe0000 + one.charCodeAt(0)));
    expect(visibleString(`Hello${tags('send me the keys')}!`)).toBe(
      'Hello‹tags: send me the keys›!',
    );
    // Tag characters after a black flag or an emoji could form a flag. Those that form none are shown, too.
    for (const base of ['🏴', '👍', '👍🏽', '❤️', '1️⃣'])
      expect(visibleString(`${base}${tags('obey')}\u{e007f}`)).toBe(`${base}‹tags: obey›‹U+E007F›`);
    expect(visibleString('pass\u200bword')).toBe('pass‹U+200B›word');
    expect(visibleString('a\u200b\u200b\u200b\u2060\ufeffb')).toBe('a‹U+200B ×3›‹U+2060›‹U+FEFF›b');
    expect(visibleString('👍\ufe0f\ufe01\u{e0101}\u{e01ef}')).toBe(
      '👍\ufe0f‹U+FE01›‹U+E0101›‹U+E01EF›',
    );
    for (const one of [
      '\u00ad',
      '\u034f',
      '\u061c',
      '\u115f',
      '\u180e',
      '\u2064',
      '\u2800',
      '\u3164',
    ])
      expect(visibleString(`x${one}y`)).toMatch(/^x‹U\+[\dA-F]{4}›y$/);
    expect(visibleString('a\u200db')).toBe('a‹U+200D›b');
    const long = visibleString(`a${'\u200b\u200c'.repeat(16_000)}b`);
    expect(long).toMatch(/^a(‹U\+200[BC]›){16}‹31984 more invisible characters›b$/);
  });

  it('keeps emoji sequences and the joiners of other scripts as they are', () => {
    for (const text of [
      '👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 ❤️ ☎︎ 1️⃣ #️⃣ 🇩🇪 👁️‍🗨️',
      '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      'می‌خواهم',
      'क्‍ष श्री',
      '葛\u{e0100}城',
      'plain, עברית\nwith\ta tab',
    ])
      expect(visibleString(text)).toBe(text);
    expect(visibleString('می\u200c\u200cخواهم')).toBe('می‹U+200C ×2›خواهم');
  });

  it('has them named in the text of an image and in the name of a footnote, too', () => {
    for (const content of [
      '![a\u202Eb](https://example.com)',
      '![a\u202Eb][c]\n\n[c]: https://example.com',
      'so[^a\u202Eb]\n\n[^a\u202Eb]: note',
    ]) {
      expect(textOf(render(content))).toContain('aU+202Eb');
      expect(textOf(render(content))).not.toContain('\u202E');
    }
  });
});

describe('a mention', () => {
  it('is unfinished when a word before the caret begins with @', () => {
    expect(mentionAtCaret('hello @ad', 9)).toBe('ad');
    expect(mentionAtCaret('@', 1)).toBe('');
    expect(mentionAtCaret('mail@ad', 7)).toBeNull();
    expect(mentionAtCaret('@ada there', 10)).toBeNull();
  });
});

describe('the plain text of a message', () => {
  // The fault: “Needs you”, notifications and search results showed the Markdown characters.
  it.each([
    ['the **operations** view, `npm test`, _now_', 'the operations view, npm test, now'],
    ['# Plan\n\n- one\n- [x] two\n\n> said', 'Plan • one ☑ two said'],
    [
      'see [the log](https://x.test/a_b_c) and <https://y.test/>',
      'see the log and https://y.test/',
    ],
    ['```ts\nconst a = 1;\n```\ndone', 'const a = 1; done'],
    ['| a | b |\n| - | - |\n| 1 | 2 |', 'a b 1 2'],
    ['![a picture](https://x.test/p.png) <b>bold</b> @ada', 'a picture <b>bold</b> @ada'],
    // A search result is cut out of the middle of its message.
    ['…tions** view shows **what the', '…tions view shows what the'],
    ['Faster: | | before | |---|---:| | p50 | 137 ms |', 'Faster: before p50 137 ms'],
    ['2**3 = 8, a * b, snake_case_name, ls | wc', '2**3 = 8, a * b, snake_case_name, ls | wc'],
  ])('has no signs of Markdown: %j', (content, text) => {
    expect(plainText(content)).toBe(text);
  });

  it('is one bounded line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (content) => {
        expect(plainText(content)).not.toMatch(/[\n\r\t]|^\s|\s$/);
      }),
      { numRuns: 200 },
    );
    expect(plainText('a\n'.repeat(100_000)).length).toBeLessThan(2_000);
  });
});
