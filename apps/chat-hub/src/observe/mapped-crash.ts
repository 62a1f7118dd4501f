// Prints the stack of a fatal error with positions in the TypeScript sources. Every bundled program imports this module
// first. Node's own --enable-source-maps keeps every map in memory, which costs about 65 MB. This module reads the maps
// only after a crash.
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

const frame = /file:\/\/\S+?\.js:\d+:\d+/g;

function mapped(position: string): string {
  const [, url = '', line, column] = /^(.*):(\d+):(\d+)$/.exec(position) ?? [];
  try {
    const text = readFileSync(`${fileURLToPath(url)}.map`, 'utf8');
    const map = new SourceMap(JSON.parse(text) as SourceMapPayload);
    const origin = map.findOrigin(Number(line), Number(column));
    if (!('fileName' in origin)) return position;
    return `${new URL(origin.fileName, url).href}:${origin.lineNumber}:${origin.columnNumber}`;
  } catch {
    // A failure here must not hide the error that ends the process.
    return position;
  }
}

process.on('uncaughtExceptionMonitor', (error: unknown) => {
  if (!(error instanceof Error) || error.stack === undefined) return;
  process.stderr.write(`in the sources: ${error.stack.replaceAll(frame, mapped)}\n`);
});
