// Writes the table of metrics in docs/operations.md from the definitions of the metrics. A test compares the table with
// the definitions.
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { createMetrics } from '../src/observe/metrics.ts';
import { metricsTable } from '../src/observe/metrics-table.ts';

const file = new URL('../../../docs/operations.md', import.meta.url);
const text = readFileSync(file, 'utf8');
const between = /(<!-- metrics -->\n)[^]*?(<!-- \/metrics -->)/;
if (!between.test(text)) throw new Error('docs/operations.md has no place for the table');
const table = await metricsTable(createMetrics());
const written = text.replace(between, (_, begin, end) => `${begin}\n${table}\n\n${end}`);
const config = await resolveConfig(file);
writeFileSync(file, await format(written, { ...config, filepath: file.pathname }));
process.exit();
