import { afterEach, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from '../observe/metrics.ts';
import type { Readiness } from '../observe/readiness.ts';
import { addDocuments } from './openapi.ts';
import { addStatusRoutes } from './server.ts';

let app: FastifyInstance;
afterEach(() => app.close());

const get = (url: string) => app.inject({ url });

// The race: hundreds of unauthenticated clients request a text that takes some milliseconds to write.
describe('status and documents that need no sign-in', () => {
  it('metrics are written once for all requests of one turn, and again for a later one', async () => {
    app = fastify();
    let written = 0;
    const registry = { contentType: 'text/plain' };
    const text = async () => `hub_up ${++written}\n`;
    addStatusRoutes(app, {} as Readiness, { registry, text } as unknown as Metrics);
    await app.ready();
    const answers = await Promise.all(Array.from({ length: 50 }, () => get('/metrics')));
    expect(answers.every(({ body }) => body === 'hub_up 1\n')).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect((await get('/metrics')).body).toBe('hub_up 2\n');
  });

  it('specifications are written once', async () => {
    app = fastify();
    let made = 0;
    const openapi = { openapi: '3.1.0' };
    addDocuments(app, { '/v1/openapi.json': () => ({ ...openapi, made: ++made }) });
    await app.ready();
    for (let time = 1; time <= 3; time++) {
      const { headers, body } = await get('/v1/openapi.json');
      expect(headers['content-type']).toContain('application/json');
      expect(JSON.parse(body)).toEqual({ ...openapi, made: 1 });
    }
  });
});
