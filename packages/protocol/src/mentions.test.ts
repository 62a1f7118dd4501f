import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limits } from './limits.ts';
import { parseMentions, resolveMentions } from './mentions.ts';

const members = new Set(['ann', 'bob.x', 'cy~', 'dee-', 'e_', 'ann.b', 'types']);
const mentioned = (content: string) =>
  resolveMentions(parseMentions(content), (id) => members.has(id)).members;
const unreached = (content: string) =>
  resolveMentions(parseMentions(content), (id) => members.has(id)).others;

describe('mentions in a text', () => {
  it.each([
    ['alone', '@ann', ['ann']],
    ['several, each once', '@ann, @bob.x: @ann', ['ann', 'bob.x']],
    ['in brackets', '(@ann) [@bob.x] {@types}', ['ann', 'bob.x', 'types']],
    ['in emphasis', '**@ann** _@bob.x_ ~~@types~~', ['ann', 'bob.x', 'types']],
    ['in a list, at any depth', '- @ann\n\n  - x\n\n    @bob.x', ['ann', 'bob.x']],
    ['in a table', '| @ann | x |\n| --- | --- |\n|@bob.x |', ['ann', 'bob.x']],
    ['in a heading', '# @ann', ['ann']],
    ['after text without spaces', '请看@ann，谢谢', ['ann']],
    ['at the end of a sentence', 'ask @ann.', ['ann']],
    ['before a possessive', "@ann's turn", ['ann']],
    ['with punctuation that belongs to the id', '@cy~ and @dee-', ['cy~', 'dee-']],
    ['with an underscore that belongs to the id', '@e_ and _@e__', ['e_']],
    ['the longest id that is a member’s', '@ann.b.', ['ann.b']],
    ['after an escaped backslash', '\\\\@ann', ['ann']],
    ['after code', '`x` @ann', ['ann']],
    ['after a backtick without a partner', 'a ` b @ann', ['ann']],
    ['between different numbers of backticks', '`` x ` @ann', ['ann']],
    ['after a fence that ended', '```\nx\n```\n@ann', ['ann']],
    ['after a quotation', '> x\n@ann', ['ann']],
    ['after a link', '[x](https://x.org) @ann', ['ann']],
    ['in brackets that are no link', '[@ann] (x)', ['ann']],
    ['after a URL', 'https://x.org @ann', ['ann']],
    ['after a colon', 'cc:@ann', ['ann']],
    ['of a line that is indented in a paragraph', 'x\n    @ann', ['ann']],
  ])('count: %s', (_name, content, expected) => {
    expect(mentioned(content)).toEqual(expected);
  });

  it.each([
    ['in inline code', '`@ann`'],
    ['in code with longer marks', '``a ` @ann``'],
    ['in code over two lines', '`a\n@ann`'],
    ['in a fence', '```\n@ann\n```'],
    ['in a fence with a language', '```ts\n@ann\n```'],
    ['in a fence of tildes, with a shorter one inside', '~~~~\n~~~\n@ann\n~~~~'],
    ['in a fence that never ends', '```\n@ann'],
    ['in a fence of a list item', '- ```\n  @ann\n  ```'],
    ['in an indented block', 'x\n\n    @ann'],
    ['in a block indented by a tab', '\t@ann'],
    ['in a quotation', '> @ann said so'],
    ['in a quotation in a list', '- > @ann'],
    ['in a nested quotation', ' > > @ann'],
    ['in a URL', 'https://x.org/@ann'],
    ['in a URL in angle brackets', '<https://x.org/@ann>'],
    ['in a URL without a scheme', 'www.x.org/@ann x.org/@ann'],
    ['in an address', 'mailto:a@ann mail x@ann.org a.b-@ann'],
    ['escaped', '\\@ann'],
    ['in the text of a link', '[@ann](https://x.org)'],
    ['in a link with a title', '[a [@ann] b](<x y> "t @ann")'],
    ['in an image', '![@ann](x.png)'],
    ['in a link by reference', '[@ann][1]\n\n[1]: https://x.org'],
    ['in the definition of a link', '[x]: https://x.org/ "@ann"'],
    ['in the name of a package', '@types/node'],
    ['in a longer name', '@annabel'],
    ['in another case', '@Ann'],
    ['an @ alone', '@ @@ @-'],
    ['after another name', '@nobody@ann'],
  ])('do not count: %s', (_name, content) => {
    expect(mentioned(content)).toEqual([]);
  });

  it('that are no members are named without their punctuation', () => {
    expect(unreached('@nobody, @ghost. _@under_ @a@b @ann')).toEqual([
      'nobody',
      'ghost',
      'under',
      'a@b',
    ]);
  });

  it('of everyone are told apart', () => {
    for (const content of ['@all', 'x (@all)', '@all.', '_@all_'])
      expect(parseMentions(content)).toEqual({ names: [], all: true });
    for (const content of ['@allen', '`@all`', 'x@all', '@all/x', '> @all'])
      expect(parseMentions(content).all).toBe(false);
  });

  it('are limited in number, and so are the ids that a name may stand for', () => {
    const many = Array.from({ length: 200 }, (_, i) => `@a${i}`).join(' ');
    expect(parseMentions(`${many} @all`)).toMatchObject({ all: true });
    expect(parseMentions(many).names).toHaveLength(limits.mentions);
    const [ids] = parseMentions(`@a${'-'.repeat(100)}`).names;
    expect(ids?.length).toBeLessThanOrEqual(8);
    expect(ids?.at(-1)).toBe('a');
    const dashed = Array.from({ length: 200 }, (_, i) => `@a${i}${'-'.repeat(20)}`).join(' ');
    expect(parseMentions(dashed).names.flat().length).toBeLessThanOrEqual(2 * limits.mentions);
    expect(parseMentions(`@${'x'.repeat(129)}`).names).toEqual([]);
  });

  it('of any text are ids, and are found without a fault', () => {
    const piece = fc.constantFrom(
      ...['@ann', '@all', '@', '`', '``', '```', '\n', '\n\n', '> ', '    ', '\t', '- ', '\\'],
      ...['[', ']', '(', ')', '](', '<', '>', 'https://', 'www.', '_', '|', '~~~', '"', ' ', 'x'],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (parts) => {
        for (const ids of parseMentions(parts.join('')).names) {
          expect(ids.length).toBeGreaterThan(0);
          expect(ids.every((id) => /^[A-Za-z0-9][A-Za-z0-9._@|~-]{0,127}$/.test(id))).toBe(true);
        }
      }),
    );
  });

  // Each text is as long as a message may be. None may block the event loop.
  it.each([
    ...['@', '@a', '@a ', '@a-', '`', '` ``', '[', '[](', '[](<', '](a "', '](a (', '[@a](', '> '],
    ...[
      '```\n',
      '~~~\n\n',
      '- ',
      '://',
      'a://',
      'www.',
      'www.@',
      '\\',
      '_@a_',
      '-',
      '|@',
      'mailto:',
    ],
    ...['[a]: ', '    ', '\t@a\n\n', '`\n', 'x', '@a.........', '(', '((', '[a][', '@@@'],
  ])('are found at once in the longest text of %j', (piece) => {
    const content = piece.repeat(Math.floor(limits.contentBytes / piece.length));
    expect(content.length).toBeGreaterThan(limits.contentBytes - 20);
    const startMs = performance.now();
    parseMentions(`${content}@a`);
    expect(performance.now() - startMs).toBeLessThan(250);
  });

  it('takes a time that grows with the text and not with its square', () => {
    for (const make of [
      (n: number) => Array.from({ length: n }, (_, i) => '`'.repeat(1 + (i % 180))).join(' '),
      (n: number) => `${'['.repeat(n * 50)}@a${'](x)'.repeat(n * 20)}`,
      (n: number) => `${'_.-|~'.repeat(n * 20)}@a`,
      (n: number) => `@a${'.'.repeat(n * 90)}x`,
      // This text is almost six times as long as the longest message (32 KiB). An earlier pattern took 0.1 s for a
      // message of this form.
      (n: number) => `[x](${' '.repeat(2_040)}`.repeat(n / 4),
      (n: number) => '['.repeat(n * 100) + ']()'.repeat(n * 100),
    ]) {
      const startMs = performance.now();
      parseMentions(`${make(360)}@a`);
      expect(performance.now() - startMs).toBeLessThan(250);
    }
  });
});
