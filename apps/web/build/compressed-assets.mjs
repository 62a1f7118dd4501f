import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const worthBytes = 1024;

/** Writes `.br` and `.gz` beside each text file of the bundle, so that the hub compresses nothing while it serves. */
export function compressedAssets() {
  let outDir = '';
  return {
    name: 'compressed-assets',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      for (const file of await readdir(outDir, { recursive: true })) {
        if (!/\.(html|js|css|svg)$/.test(file)) continue;
        const path = join(outDir, file);
        const bytes = await readFile(path);
        if (bytes.length < worthBytes) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
        await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
      }
    },
  };
}
