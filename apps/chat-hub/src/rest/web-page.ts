import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { refuse } from '@openclaw/protocol';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { HostPolicy } from '../edge/origin-policy.ts';
import type { PathPrefix } from '../edge/public-url.ts';
import { sendFailure } from './errors.ts';

/** This source file and its build are equally deep below `apps`, so the path is right for both. */
export const builtPageDir = resolve(fileURLToPath(import.meta.url), '../../../../web/dist');

// 'self' also covers WebSockets to this host (CSP Level 3).
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const powerfulFeatures = [
  ...['accelerometer', 'camera', 'display-capture', 'geolocation', 'gyroscope', 'magnetometer'],
  ...['microphone', 'midi', 'payment', 'usb'],
];

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': powerfulFeatures.map((feature) => `${feature}=()`).join(', '),
} as const;

/** Matches no path out of the folder and no hidden file. */
const fileName = '^[A-Za-z0-9_-][A-Za-z0-9._-]*$';

type FileRoute = { Params: { readonly file: string } };

const unbuilt =
  'The web UI of this hub is not built: "npm start" in its repository builds it. The API is described at /v1/openapi.json.\n';

/**
 * Serves the web UI at `/` without sign-in, because it holds no data. Browsers revalidate `index.html` each time and
 * keep files named by their hash permanently. If the web UI is not built, `/` answers 404 with a hint, and the rest
 * of the hub works.
 */
export async function addWebPage(
  app: FastifyInstance,
  {
    directory,
    hostPolicy,
    pathPrefix,
    log,
  }: {
    /** Has `index.html` and the folder `assets`, whose files are named by their hash. */
    readonly directory: string;
    /** This policy does not check the Origin, because behind some proxies the page's own Origin is foreign. */
    readonly hostPolicy: HostPolicy;
    readonly pathPrefix: PathPrefix;
    readonly log: Logger;
  },
): Promise<void> {
  const assets = join(directory, 'assets');
  const isBuilt = () =>
    stat(join(directory, 'index.html')).then(
      (found) => found.isFile(),
      () => false,
    );
  if (!(await isBuilt())) log.warn({ directory }, 'the web UI is not built');

  await app.register(async (page) => {
    await page.register(fastifyStatic, {
      root: directory,
      serve: false,
      // No warning if the folder does not exist: it may be built while the hub runs.
      suppressWarning: true,
      preCompressed: true,
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders(reply, path) {
        const isNamedByHash = path.startsWith(join(assets, sep));
        reply.header(
          'cache-control',
          isNamedByHash ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
    page.addHook('onRequest', async (request, reply) => {
      reply.headers(pageHeaders);
      const denied = hostPolicy(request.headers);
      if (denied !== null) return sendFailure(reply, refuse('forbidden', denied));
    });

    const { path } = pathPrefix;
    if (path !== '/') {
      // Without the final slash, the page's relative addresses would lack the prefix.
      page.get(path.slice(0, -1), (request, reply) =>
        reply.redirect(`${path}${/\?.*/.exec(request.url)?.[0] ?? ''}`, 308),
      );
    }
    page.get('/', async (_request, reply) =>
      (await isBuilt())
        ? reply.sendFile('index.html')
        : reply.code(404).type('text/plain; charset=utf-8').send(unbuilt),
    );
    page.get<FileRoute>(`/:file(${fileName})`, (request, reply) =>
      reply.sendFile(request.params.file),
    );
    page.get<FileRoute>(`/assets/:file(${fileName})`, (request, reply) =>
      reply.sendFile(request.params.file, assets),
    );
  });
}
