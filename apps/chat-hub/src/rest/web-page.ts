import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { OriginPolicy } from '../edge/origin-policy.ts';
import { sendRefusal } from './errors.ts';
import { refuse } from '../calls/answer.ts';

/** Where the page is built to: beside this app, whether this runs from its source or from its build. */
export const builtPageDir = resolve(fileURLToPath(import.meta.url), '../../../../web/dist');

/** What {@link addWebPage} serves, and to whom. */
export interface WebPageOptions {
  /** The built page: `index.html`, and all that is named by its hash in `assets/`. */
  readonly directory: string;
  readonly originPolicy: OriginPolicy;
  readonly log: Logger;
}

// 'self' covers WebSockets to this host too (CSP Level 3).
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

/** What a file may be called: nothing that leads out of its folder, or to what is hidden. */
const fileName = '^[A-Za-z0-9_-][A-Za-z0-9._-]*$';

const unbuilt =
  'The page of this hub is not built: "npm start" in its repository builds it. The API is described at /v1/openapi.json.\n';

/**
 * Serves the page for people at `/`: its files by name, and no listing. It needs no sign-in, for it holds no data; who is
 * shown what is decided below `/v1`. A browser asks for `index.html` anew each time, and keeps for good what is named by
 * its hash. Where the page is not built, `/` says so (404) and the hub runs all the same.
 */
export async function addWebPage(
  app: FastifyInstance,
  { directory, originPolicy, log }: WebPageOptions,
): Promise<void> {
  const assets = join(directory, 'assets');
  const isBuilt = () =>
    stat(join(directory, 'index.html')).then(
      (found) => found.isFile(),
      () => false,
    );
  if (!(await isBuilt())) log.warn({ directory }, 'the page for people is not built');

  await app.register(async (page) => {
    await page.register(fastifyStatic, {
      root: directory,
      serve: false,
      // It may be built while the hub runs.
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
      const denied = originPolicy(request.headers);
      if (denied !== null) return sendRefusal(reply, refuse('forbidden', denied));
    });

    const hidden = { schema: { hide: true } };
    page.get('/', hidden, async (_request, reply) =>
      (await isBuilt())
        ? reply.sendFile('index.html')
        : reply.code(404).type('text/plain; charset=utf-8').send(unbuilt),
    );
    page.get<{ Params: FileParams }>(`/:file(${fileName})`, hidden, (request, reply) =>
      reply.sendFile(request.params.file),
    );
    page.get<{ Params: FileParams }>(`/assets/:file(${fileName})`, hidden, (request, reply) =>
      reply.sendFile(request.params.file, assets),
    );
  });
}

interface FileParams {
  readonly file: string;
}
