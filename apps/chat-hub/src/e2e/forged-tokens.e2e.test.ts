import { describe, expect, it } from '@jest/globals';
import { parseCloseReason } from '@openclaw/protocol';
import { connectRpc, signToken, waitFor } from '@openclaw/test-support';
import { noRedis, startTestHub, type TestHub } from '../testing/test-hub.ts';
import { range } from '../testing/seqs.ts';

const secret = 'a-secret-of-more-than-thirty-two-characters';
const otherSecret = 'another-secret-of-more-than-thirty-two-characters';

/** The hub admits two clients at once, and then one every twenty seconds. */
const slowHub = (environment: Readonly<Record<string, string>>) =>
  startTestHub(
    { HUB_HOST: '127.0.0.1', ...noRedis, HUB_JWT_SECRET: secret, ...environment },
    {
      admission: {
        perSecond: 0.05,
        burst: 2,
        horizonMs: 60_000,
        graceMs: 5_000,
        maxPerName: 4,
      },
    },
  );

/** Connects through a proxy that reports `address`. The code is null if the hub welcomed the client. */
async function come(hub: TestHub, token: string, address: string) {
  const url = `${hub.wsUrl}?access_token=${token}`;
  const headers = { 'x-forwarded-for': address };
  const socket = await connectRpc(url, { headers, waitForWelcome: false });
  await waitFor(() => socket.welcome || socket.ws.readyState === socket.ws.CLOSED);
  if (!socket.welcome) return socket.closed;
  await socket.close();
  return { code: null, reason: '' };
}

const ask = (hub: TestHub, token: string, address: string) =>
  fetch(`${hub.url}/v1/channels`, {
    headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
  });

/**
 * Sends forged tokens from `address`, so that the hub blocks it for a short time, then calls `look`. On a slow machine
 * the block may end before `look` begins, so both steps are repeated.
 */
async function whileBlocked<T>(
  hub: TestHub,
  address: string,
  look: () => Promise<T>,
  isBlocked: (seen: T) => boolean,
): Promise<T> {
  const forged = signToken(otherSecret, 'ana');
  for (const endMs = Date.now() + 15_000; ;) {
    await Promise.all(range(1, 100).map(() => ask(hub, forged, address)));
    const seen = await look();
    if (isBlocked(seen) || Date.now() > endMs) return seen;
  }
}

describe('forged tokens', () => {
  // The race: forged tokens arrive before real clients. Invariant: only a verified agent takes a slot.
  it('take no slot of a real client, however many come before it', async () => {
    await using hub = await slowHub({ HUB_TRUSTED_PROXIES: '127.0.0.1' });
    for (const n of range(1, 30)) {
      const { code } = await come(hub, signToken(otherSecret, `forger-${n}`), '203.0.113.7');
      expect(code).toBe(4401);
    }
    expect(await come(hub, signToken(secret, 'ana'), '203.0.113.8')).toMatchObject({ code: null });
    expect(await come(hub, signToken(secret, 'ben'), '203.0.113.8')).toMatchObject({ code: null });
    // Negative control: slots are scarce here, so the next real client has to wait.
    expect(await come(hub, signToken(secret, 'cem'), '203.0.113.8')).toMatchObject({ code: 4503 });
  });

  it('block their address soon, over WebSocket and REST, and no other address', async () => {
    await using hub = await slowHub({ HUB_TRUSTED_PROXIES: '127.0.0.1' });
    const forged = signToken(otherSecret, 'ana');
    const answers = await Promise.all(range(1, 300).map(() => ask(hub, forged, '203.0.113.7')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    const { code, reason } = await whileBlocked(
      hub,
      '203.0.113.7',
      () => come(hub, forged, '203.0.113.7'),
      (seen) => seen.code === 4429,
    );
    expect({ code, afterMs: parseCloseReason(reason) }).toEqual({
      code: 4429,
      afterMs: expect.any(Number),
    });
    expect((await ask(hub, signToken(secret, 'ana'), '203.0.113.8')).status).toBe(200);
    expect(await come(hub, signToken(secret, 'ana'), '203.0.113.8')).toMatchObject({ code: null });
  });

  // The race: an agent repeats an expired token, so the address that it shares with other agents stays blocked.
  // Invariant: tokens that the hub verified before are not blocked.
  it('do not block tokens from their address that were verified before', async () => {
    await using hub = await slowHub({ HUB_TRUSTED_PROXIES: '127.0.0.1' });
    const address = '203.0.113.7';
    const good = signToken(secret, 'ana');
    expect((await ask(hub, good, address)).status).toBe(200);
    const forged = signToken(otherSecret, 'ana');
    const answers = await Promise.all(range(1, 300).map(() => ask(hub, forged, address)));
    expect(answers.map(({ status }) => status)).toContain(429);
    let strangers = 0;
    const [known, unknown] = await whileBlocked(
      hub,
      address,
      () => {
        // Each attempt needs a new token, because a token that was verified once is not blocked.
        const stranger = signToken(secret, `ben-${(strangers += 1)}`);
        return Promise.all([ask(hub, good, address), ask(hub, stranger, address)]);
      },
      ([, other]) => other.status === 429,
    );
    const socket = await come(hub, good, address);
    expect([known.status, unknown.status]).toEqual([200, 429]);
    expect(socket).toMatchObject({ code: null });
  });

  it('count for the address of the connection when no proxy is trusted, whatever a header says', async () => {
    await using hub = await slowHub({});
    const forged = signToken(otherSecret, 'ana');
    const answers = await Promise.all(range(1, 200).map((n) => ask(hub, forged, `203.0.113.${n}`)));
    expect(answers.map(({ status }) => status)).toContain(429);
  });

  it('are the only ones that count: any number of agents may share an address', async () => {
    await using hub = await slowHub({});
    const answers = await Promise.all(
      range(1, 300).map((n) => ask(hub, signToken(secret, `agent-${n}`), '203.0.113.7')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
