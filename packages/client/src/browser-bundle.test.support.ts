import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '..');

/**
 * A module's text as one minified ES module, as a page would be served it; its imports are resolved from this package's
 * folder. In a process of its own, because the bundler takes no values of a test's realm.
 */
export function bundleForBrowser(text: string): string {
  const script = `
    import { rolldown } from 'rolldown';
    const [entry, text] = ${JSON.stringify([resolve(folder, 'entry.ts'), text])};
    const bundle = await rolldown({
      input: entry,
      platform: 'browser',
      resolve: { conditionNames: ['@openclaw/source', 'import', 'browser', 'default'] },
      plugins: [{
        name: 'text',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? text : null),
      }],
    });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    process.stdout.write(output[0].code);
  `;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
    encoding: 'utf8',
  });
}
