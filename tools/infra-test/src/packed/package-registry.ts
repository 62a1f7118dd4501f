import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { PackedPackage } from './pack-packages.ts';

export interface PackageRegistry extends AsyncDisposable {
  readonly url: string;
}

/** `npm install` finds the tarballs by name and range, as in the public registry. */
export async function startPackageRegistry(
  packages: readonly PackedPackage[],
): Promise<PackageRegistry> {
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const described = packages.find(({ manifest }) => manifest.name === path);
    const packed = packages.find(({ file }) => basename(file) === path);
    // npm must not cache the answers, because another run may serve other tarballs on the same port.
    response.setHeader('cache-control', 'no-store');
    if (described) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(describe(described, url)));
    } else if (packed) {
      readFile(packed.file).then(
        (content) => response.end(content),
        (error: Error) => response.destroy(error),
      );
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describe({ file, integrity, manifest }: PackedPackage, url: string) {
  const { name, version } = manifest;
  const dist = { tarball: `${url}/${basename(file)}`, integrity };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
  };
}
