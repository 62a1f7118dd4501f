import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyRequest } from 'fastify';
import { fastifyRateLimit, httpRateLimit, nodeRateLimit, rateLimitHeaders } from './http.ts';
import { idOf } from './id-of.ts';
import { createLocalRateLimiter } from './local-limiter.ts';
import { createMemoryRateLimiter } from './exact-limiter.ts';

const limits = { message: { limit: 2, windowMs: 60_000 } };
const nowMs = 1_700_000_000_500;
const agentOf = ({ headers }: { headers: Record<string, unknown> }) =>
  typeof headers['x-agent'] === 'string' ? headers['x-agent'] : null;

function setUp() {
  const limiter = createMemoryRateLimiter({ limits, clock: () => nowMs });
  return httpRateLimit(limiter, { action: 'message', agentOf });
}
const alice = { headers: { 'x-agent': 'alice' } };

describe('the HTTP middleware', () => {
  it('sets the header fields of the RateLimit draft for every decision', async () => {
    const check = setUp();
    expect(await check(alice)).toEqual({
      allowed: true,
      headers: { 'RateLimit-Policy': '"message";q=2;w=60', RateLimit: '"message";r=1;t=60' },
      problem: null,
    });
    await check(alice);
    expect(await check(alice)).toEqual({
      allowed: false,
      headers: {
        'RateLimit-Policy': '"message";q=2;w=60',
        RateLimit: '"message";r=0;t=60',
        'Retry-After': '60',
      },
      problem: {
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        title: 'More than 2 requests in 60 s',
        status: 429,
        'violated-policies': ['message'],
        code: 'rate_limited',
        retryAfterMs: 60_000,
      },
    });
  });

  it('counts a request as its cost, and limits by any text', async () => {
    const limiter = createMemoryRateLimiter({ limits });
    const check = httpRateLimit(limiter, {
      action: 'message',
      agentOf: ({ address }: { address: string; size: number }) => idOf(address),
      costOf: ({ size }) => size,
    });
    const from = (address: string, size: number) => check({ address, size });
    expect(await from('2001:db8::1', 2)).toMatchObject({ allowed: true });
    expect(await from('2001:db8::1', 1)).toMatchObject({ allowed: false });
    expect(await from('2001:db8::2', 1)).toMatchObject({ allowed: true });
    await expect(from('2001:db8::3', 3)).rejects.toMatchObject({ code: 'invalid_cost' });
  });

  it('rounds seconds up, and never asks for an immediate retry', () => {
    const refusal = { allowed: false, limit: 5, remaining: 0, degraded: false };
    const seconds = [1, 999, 1000, 1001].map(
      (ms) =>
        rateLimitHeaders('a', 1500, { ...refusal, resetMs: ms, retryAfterMs: ms })['Retry-After'],
    );
    expect(seconds).toEqual(['1', '1', '1', '2']);
    const headers = rateLimitHeaders('a', 1500, { ...refusal, resetMs: 0, retryAfterMs: 0 });
    expect(headers).toEqual({
      'RateLimit-Policy': '"a";q=5;w=2',
      RateLimit: '"a";r=0;t=0',
      'Retry-After': '1',
    });
  });

  it('allows a request without an agent, without header fields', async () => {
    expect(await setUp()({ headers: {} })).toEqual({ allowed: true, headers: {}, problem: null });
  });

  it('also works with the local limiter', async () => {
    const limiter = createLocalRateLimiter({}, { limits });
    const check = httpRateLimit(limiter, { action: 'message', agentOf });
    expect((await check(alice)).allowed).toBe(true);
    await limiter.close();
  });

  it('refuses an action without a limit at creation', () => {
    const limiter = createMemoryRateLimiter({ limits });
    expect(() => httpRateLimit(limiter, { action: 'typing' as 'message', agentOf })).toThrow(
      'typing',
    );
  });

  it('guards a node:http server', async () => {
    const guard = nodeRateLimit<IncomingMessage>(setUp());
    const server = createServer((request, response) => {
      void guard(request, response).then((allowed) => allowed && response.end('hello'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await fetch(url, alice));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[1]?.headers.get('ratelimit')).toBe('"message";r=0;t=60');
    expect(answers[2]?.headers.get('retry-after')).toBe('60');
    expect(answers[2]?.headers.get('content-type')).toBe('application/problem+json');
    expect(await answers[2]?.json()).toMatchObject({ code: 'rate_limited' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('guards a fastify server as its onRequest hook', async () => {
    const fastify = Fastify();
    let served = 0;
    fastify.addHook('onRequest', fastifyRateLimit<FastifyRequest>(setUp()));
    fastify.get('/', async () => {
      served += 1;
      return 'hello';
    });
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await fastify.inject({ url: '/', ...alice }));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers['ratelimit']).toBe('"message";r=1;t=60');
    expect(answers[2]?.headers['content-type']).toMatch('application/problem+json');
    expect(answers[2]?.json()).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
    expect(served).toBe(2);
    await fastify.close();
  });
});
