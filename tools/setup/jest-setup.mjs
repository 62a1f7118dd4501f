// Jest's global setup puts the folders of the current builds into variables. The first test that needs a build makes
// the build: see builtForTests in tools/test-support.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testBuildFolder } from './test-builds.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../../..');

export default function setUp({ collectCoverage }) {
  process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/node');
  process.env.OPENCLAW_TEST_PAGE = testBuildFolder('page');
  // Coverage and debuggers need the sources, not the build.
  if (collectCoverage || process.env.OPENCLAW_TEST_SOURCES) delete process.env.OPENCLAW_TEST_HUB;
  else process.env.OPENCLAW_TEST_HUB = testBuildFolder('hub');
}
