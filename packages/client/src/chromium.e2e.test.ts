import { bundleForBrowser } from './browser-bundle.test.support.ts';
import { servePage } from './chromium.test.support.ts';
import { clientContract } from './client.contract.ts';

clientContract('in Chromium, on a page without TLS', async () => {
  const served = await servePage({
    document: '<!doctype html><title>Bench</title><script type="module" src="/module.js"></script>',
    module: bundleForBrowser(
      "import { createBench } from './src/bench.test.support.ts'; globalThis.bench = createBench();",
    ),
    hostname: 'chat.test',
  });
  return {
    origin: served.origin,
    hostname: 'chat.test',
    run: (script, given) =>
      served.page.evaluate(`(${String(script)})(globalThis.bench, ${JSON.stringify(given)})`),
    async stop() {
      await served.stop();
      if (served.errors.length > 0) throw new Error(served.errors.join('\n'));
    },
  };
});
