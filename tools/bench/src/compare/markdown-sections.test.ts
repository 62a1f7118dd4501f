import { describe, expect, it } from '@jest/globals';
import { withSection } from './markdown-sections.ts';

const text = '# Title\n\n<!-- bench: a -->\n\nold\n\n<!-- end: a -->\n\nprose\n';

describe('sections of a Markdown file', () => {
  it('replaces a section and nothing else', () => {
    expect(withSection(text, 'a', 'new')).toBe(text.replace('old', 'new'));
  });

  it('appends a section that is missing, and replaces it the next time', () => {
    const once = withSection(text, 'b', 'first');
    expect(once.startsWith(text.trimEnd())).toBe(true);
    expect(withSection(once, 'b', 'second')).toBe(once.replace('first', 'second'));
  });
});
