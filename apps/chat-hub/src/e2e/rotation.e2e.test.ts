import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { connectRpc, waitFor } from '@openclaw/test-support';
import { mintFor } from '../testing/mint.ts';
import { noRedis, startTestHub, temporaryDatabase, type TestHub } from '../testing/test-hub.ts';

const old = 'the-old-secret-of-more-than-thirty-two-characters';
const next = 'the-next-secret-of-more-than-thirty-two-characters';

async function startPair(secrets: string) {
  const database = await temporaryDatabase();
  const start = (list: string) =>
    startTestHub({
      ...{ HUB_HOST: '127.0.0.1', HUB_DB_URL: database.url, ...noRedis, LOG_LEVEL: 'fatal' },
      ...{ HUB_JWT_SECRET: list, HUB_DRAIN_MS: '0' },
    });
  const hubs: TestHub[] = [await start(secrets), await start(secrets)];
  return {
    hubs,
    async roll(list: string, which = [0, 1]) {
      for (const index of which) {
        await hubs[index]?.close();
        hubs[index] = await start(list);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const hub of hubs) await hub.close();
      await database.remove();
    },
  };
}

/** Until the returned load is disposed, agents call the two hubs in turn and get new tokens from both. */
function startLoad(hubs: readonly TestHub[], admin: string) {
  let isDone = false;
  const refused: string[] = [];
  let accepted = 0;
  async function call(index: number, path: string, token: string, init: RequestInit = {}) {
    const hub = hubs[index % 2];
    try {
      const answer = await fetch(`${hub?.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      });
      const text = await answer.text();
      if (answer.status === 401) refused.push(`${path} ${text}`);
      else if (answer.ok) accepted += 1;
      return answer.ok ? (JSON.parse(text) as { token?: string }) : null;
    } catch {
      // The hub is restarting, which is no refusal. The next call goes to the other hub.
      return null;
    }
  }
  async function run(agent: number): Promise<void> {
    let token = admin;
    for (let count = agent; !isDone; count += 1) {
      if (count % 5 === 0) {
        const body = JSON.stringify({ sub: `agent-${agent}`, role: 'admin', ttlSeconds: 600 });
        const minted = await call(count, '/v1/tokens', token, { method: 'POST', body });
        if (minted?.token !== undefined) token = minted.token;
      } else await call(count, '/v1/channels', token);
      await nextTurn();
    }
  }
  const agents = Promise.all([0, 1, 2, 3].map(run));
  return {
    refused,
    get accepted() {
      return accepted;
    },
    async more(count: number) {
      const before = accepted;
      await waitFor(() => accepted >= before + count, { what: 'more accepted calls' });
    },
    async [Symbol.asyncDispose]() {
      isDone = true;
      await agents;
    },
  };
}

describe('a rotation of the secret over two hubs under load', () => {
  it('answers 401 to no valid token, and ends with tokens of the old secret refused', async () => {
    await using pair = await startPair(old);
    const { token: first } = await mintFor(old, { sub: 'root', role: 'admin', ttlSeconds: 600 });
    await using load = startLoad(pair.hubs, first);
    await load.more(50);
    // Every hub verifies with the next secret before any hub signs with it. All tokens are new before the old secret
    // is removed.
    await pair.roll(`${old},${next}`);
    await load.more(50);
    await pair.roll(`${next},${old}`);
    await load.more(100);
    await pair.roll(next);
    await load.more(50);
    expect(load.refused).toEqual([]);
    for (const hub of pair.hubs) {
      const socket = await connectRpc(`${hub.wsUrl}?access_token=${first}`, {
        waitForWelcome: false,
      });
      expect((await socket.closed).code).toBe(4401);
    }
  });

  it('would answer 401 if a hub signed with a secret that the other does not know yet', async () => {
    await using pair = await startPair(old);
    const { token } = await mintFor(old, { sub: 'root', role: 'admin', ttlSeconds: 600 });
    await using load = startLoad(pair.hubs, token);
    await pair.roll(`${next},${old}`, [0]);
    await waitFor(() => load.refused.length > 0, { what: 'a refused token' });
  });
});
