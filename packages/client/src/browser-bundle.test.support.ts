import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '..');

/**
 * Bundles a module's text into one minified ES module. The bundler runs in a separate process, because it rejects
 * values of a test's realm.
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
