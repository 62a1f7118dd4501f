import { createServer } from 'node:http';
import { chromium, type Page } from 'playwright-core';

export interface ServedPage {
  readonly page: Page;
  readonly origin: string;
  readonly errors: readonly string[];
  stop(): Promise<void>;
}

/**
 * Serves a document and its `/module.js`, and opens the document under `hostname`. The page has no TLS, so the browser
 * offers `crypto.subtle` only on localhost.
 */
export async function servePage(options: {
  readonly document: string;
  readonly module: string;
  readonly hostname: string;
  readonly query?: string;
}): Promise<ServedPage> {
  const { document, module, hostname, query = '' } = options;
  const server = createServer(({ url }, response) => {
    const isModule = url === '/module.js';
    response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isModule ? module : document);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const origin = `http://${hostname}:${port}`;

  const browser = await chromium.launch({
    // eslint-disable-next-line no-restricted-syntax -- the path of this machine's browser, no setting
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--no-proxy-server', `--host-resolver-rules=MAP ${hostname} 127.0.0.1`],
  });
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  await page.goto(`${origin}/${query}`);
  return {
    page,
    origin,
    errors,
    async stop() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
