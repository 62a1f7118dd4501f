import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { sendRaw, temporaryFolder } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { startTestHub, temporaryDatabase } from '../testing/test-hub.ts';

const html =
  '<!doctype html><title>Hub</title><script type="module" src="./assets/page-Ab12.js"></script>';
const script = 'document.title = "up";'.repeat(50);

const database = closeAfterAll(await temporaryDatabase());
const folder = closeAfterAll(await temporaryFolder('page'));
const page = join(folder.path, 'dist');
mkdirSync(join(page, 'assets'), { recursive: true });
writeFileSync(join(folder.path, 'secret.txt'), 'outside');
writeFileSync(join(page, 'index.html'), html);
writeFileSync(join(page, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
writeFileSync(join(page, '.built-from'), 'hidden');
writeFileSync(join(page, 'assets', 'page-Ab12.js'), script);
writeFileSync(join(page, 'assets', 'page-Ab12.js.br'), brotliCompressSync(script));
writeFileSync(join(page, 'assets', 'page-Ab12.js.gz'), gzipSync(script));
const hub = closeAfterAll(await startTestHub({ HUB_DB_URL: database.url, HUB_WEB_DIR: page }));

const ask = (path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: Record<string, unknown>; bytes: number }>(
    (resolve, reject) => {
      get(`${hub.url}${path}`, { headers }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
        );
      }).on('error', reject);
    },
  );

describe('the web UI', () => {
  it('is served at / without sign-in, and is revalidated each time', async () => {
    const response = await fetch(`${hub.url}/`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(html);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const etag = response.headers.get('etag') ?? '';
    const again = await ask('/', { 'if-none-match': etag });
    expect(again).toMatchObject({ status: 304, headers: { 'cache-control': 'no-cache' } });
    expect((await fetch(`${hub.url}/`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${hub.url}/?x=1`)).status).toBe(200);
  });

  it('runs and loads nothing from other hosts', async () => {
    for (const path of ['/', '/assets/page-Ab12.js', '/favicon.svg']) {
      const { headers } = await fetch(`${hub.url}${path}`);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy.split('; ')).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('permissions-policy')).toContain('camera=()');
    }
  });

  it('has assets that a browser caches forever, compressed if a compressed file exists', async () => {
    const plain = await ask('/assets/page-Ab12.js');
    expect(plain).toMatchObject({
      status: 200,
      bytes: script.length,
      headers: {
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'application/javascript; charset=utf-8',
      },
    });
    for (const [accepted, encoding] of [
      ['br, gzip', 'br'],
      ['gzip', 'gzip'],
    ] as const) {
      const compressed = await ask('/assets/page-Ab12.js', { 'accept-encoding': accepted });
      expect(compressed.headers).toMatchObject({
        'content-encoding': encoding,
        'content-type': 'application/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
      });
      expect(compressed.headers['vary']).toMatch(/accept-encoding/i);
      expect(compressed.bytes).toBeLessThan(script.length / 5);
    }
    expect((await ask('/favicon.svg')).headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'no-cache',
    });
  });

  it('does not serve missing files, hidden files and files outside of its folder', async () => {
    const targets = [
      '/nothing.js',
      '/assets',
      '/assets/',
      '/assets/nothing.js',
      '/.built-from',
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/..',
      '/assets/%2e%2e%2findex.html',
      '/..%5csecret.txt',
      '/assets/%00',
      '/page.js%00.html',
      '//etc/passwd',
      '/%2fetc%2fpasswd',
      `${folder.path}/secret.txt`,
      `/${encodeURIComponent(`${folder.path}/secret.txt`)}`,
    ];
    for (const target of targets) {
      const answer = await sendRaw(
        Number(new URL(hub.url).port),
        `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect([target, answer.status]).toEqual([target, 404]);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'not_found' } });
    }
  });

  // Browsers send the page's Origin when they load module scripts. If a proxy changes the Host header, this Origin
  // looks foreign, so a check of it would block the page's own scripts.
  it('is served to every Origin, because it holds no data, but not for a foreign Host', async () => {
    const origin = 'https://chat.example.com';
    expect((await ask('/', { origin })).status).toBe(200);
    expect((await ask('/assets/page-Ab12.js', { origin })).status).toBe(200);
    expect((await ask('/v1/channels?agent=ana', { origin })).status).toBe(403);
    expect((await ask('/', { host: 'evil.example.com' })).status).toBe(403);
    expect((await ask('/assets/page-Ab12.js', { host: 'evil.example.com' })).status).toBe(403);
  });

  it('is not in the OpenAPI document', async () => {
    const document = (await (await fetch(`${hub.url}/v1/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    expect(Object.keys(document.paths).filter((path) => !path.startsWith('/v1/'))).toEqual([]);
  });

  it('is answered with one sentence while it is not built, and is served as soon as it is', async () => {
    const directory = join(folder.path, 'later');
    await using other = await startTestHub({
      HUB_DB_URL: database.url,
      HUB_WEB_DIR: directory,
      LOG_LEVEL: 'error',
    });
    const missing = await fetch(`${other.url}/`);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'text/plain; charset=utf-8',
    ]);
    expect(await missing.text()).toMatch(/^The web UI of this hub is not built: .*\n$/);
    expect((await other.request('ana', 'GET', '/v1/channels')).status).toBe(200);
    mkdirSync(directory);
    writeFileSync(join(directory, 'index.html'), html);
    expect(await (await fetch(`${other.url}/`)).text()).toBe(html);
  });
});
