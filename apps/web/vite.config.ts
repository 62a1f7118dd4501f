import { defineConfig } from 'vite';
import { compressedAssets } from './build/compressed-assets.mjs';

const hub = `127.0.0.1:${process.env.HUB_PORT || '8080'}`;

export default defineConfig({
  // A relative base works under any path at which a proxy serves the hub.
  base: './',
  resolve: { conditions: ['@openclaw/source', 'module', 'browser', 'production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    // A data: address would need another source in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compressedAssets()],
  // `npx vite` starts a development server that proxies API calls to a hub.
  server: {
    proxy: {
      '/v1': { target: `http://${hub}`, ws: true },
      '/readyz': `http://${hub}`,
    },
  },
});
