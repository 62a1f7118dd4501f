import { describe, expect, it } from '@jest/globals';
import { connectRpc, startHub, startPostgres } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { mintFor } from '../testing/mint.ts';

const secret = 'a-secret-for-tests-of-more-than-32-characters';
/**
 * The hub's clock is this far ahead of the test's and the database's. The hub still accepts a token whose `iat` is as
 * far ahead of the hub's clock.
 */
const aheadMs = 4_000;

// The test needs PostgreSQL, because SQLite uses the hub's own clock.
const postgres = closeAfterAll(await startPostgres());
const preload = `const now = Date.now; Date.now = () => now() + ${aheadMs};`;
const hub = closeAfterAll(
  await startHub({
    env: {
      HUB_DB_URL: postgres.url,
      HUB_JWT_SECRET: secret,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    },
  }),
);
const admin = (await mintFor(secret, { sub: 'root', role: 'admin', ttlSeconds: 600 })).token;

async function api(token: string, verb: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${hub.httpUrl}${path}`, {
    method: verb,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const statusOf = async (token: string) => (await api(token, 'GET', '/v1/channels')).status;

describe('a hub whose clock is ahead', () => {
  // The race: the hub mints a token with its own time, and the revocation comes before the database's clock has
  // reached that time.
  it('mints tokens that a revocation right after it ends', async () => {
    const minted = await api(admin, 'POST', '/v1/tokens', { sub: 'leaver', ttlSeconds: 600 });
    const token = minted.body['token'] as string;
    // Negative control: a token with a later time survives the revocation.
    const ahead = { sub: 'leaver', ttlSeconds: 600, issuedAtMs: Date.now() + 2 * aheadMs };
    const own = (await mintFor(secret, ahead)).token;
    await using socket = await connectRpc(`${hub.url}/v1/ws`, {
      protocols: ['openclaw.v1', `bearer.${token}`],
    });
    const { timestamp } = await socket.call('ping');
    expect(timestamp - Date.now()).toBeGreaterThan(aheadMs - 1_000);

    expect((await api(admin, 'DELETE', '/v1/tokens?sub=leaver')).status).toBe(200);
    expect((await socket.closed).code).toBe(4403);
    expect([await statusOf(token), await statusOf(own)]).toEqual([401, 200]);
    const next = await api(admin, 'POST', '/v1/tokens', { sub: 'leaver', ttlSeconds: 600 });
    expect(await statusOf(next.body['token'] as string)).toBe(200);
  });
});
