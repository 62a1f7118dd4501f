import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import markdown from 'highlight.js/lib/languages/markdown';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import { createLowlight } from 'lowlight';

// This module is loaded with the first code of a known language, so that the page starts without it.
const lowlight = createLowlight({
  ...{ bash, c, cpp, css, diff, go, ini, java, javascript, json },
  ...{ markdown, python, rust, sql, typescript, xml, yaml },
});

export type HighlightedTree = ReturnType<typeof lowlight.highlight>;

export function highlight(language: string, text: string): HighlightedTree | null {
  return lowlight.registered(language) ? lowlight.highlight(language, text) : null;
}
