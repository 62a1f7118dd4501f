import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@openclaw/test-support';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { createRemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';

async function keyPair(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  const sign = () =>
    new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).setSubject('x').sign(privateKey);
  return { jwk, sign };
}
const [first, second] = [await keyPair('first'), await keyPair('second')];

describe('the keys of a key server', () => {
  let jwks: object[];
  let isAway: boolean;
  let requests: number;
  let server: ReturnType<typeof createServer>;
  let warnings: string[];

  beforeEach(async () => {
    [jwks, isAway, requests, warnings] = [[first.jwk], false, 0, []];
    server = createServer((_request, response) => {
      requests += 1;
      if (isAway) response.destroy();
      else response.end(JSON.stringify({ keys: jwks }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  function open(options: RemoteKeysOptions = {}) {
    const { port } = server.address() as AddressInfo;
    const log = { warn: (_details: object, text: string) => warnings.push(text) };
    const keys = createRemoteKeys(`http://127.0.0.1:${port}/`, log as never, options);
    return async (by: typeof first) => {
      const token = await by.sign();
      return jwtVerify(token, keys, { algorithms: ['ES256'] }).then(
        () => 'accepted',
        (error: { readonly code: string }) => error.code,
      );
    };
  }

  it('stay in use while the key server is away, past the time of their refresh', async () => {
    const verify = open({ refreshMs: 1 });
    expect(await verify(first)).toBe('accepted');
    isAway = true;
    await waitFor(async () => {
      expect(await verify(first)).toBe('accepted');
      return warnings.length > 0;
    });
    expect(await verify(first)).toBe('accepted');
    // The hub cannot know that this token is not valid; only the key server could tell.
    expect(await verify(second)).toBe('unavailable');
  });

  it('are not used beyond their greatest age', async () => {
    const verify = open({ refreshMs: 1, maxAgeMs: 1 });
    expect(await verify(first)).toBe('accepted');
    isAway = true;
    await waitFor(async () => (await verify(first)) === 'unavailable');
  });

  it('are refreshed in the background, so that a withdrawn key ends', async () => {
    const verify = open({ refreshMs: 1 });
    expect(await verify(first)).toBe('accepted');
    jwks = [second.jwk];
    await waitFor(async () => (await verify(first)) === 'ERR_JWKS_NO_MATCHING_KEY');
    expect(await verify(second)).toBe('accepted');
  });

  it('of a key server that failed are asked for once in a while, however many tokens name other keys', async () => {
    const verify = open({ refreshMs: 1 });
    expect(await verify(first)).toBe('accepted');
    isAway = true;
    await waitFor(async () => (await verify(first), warnings.length > 0));
    const before = requests;
    for (let count = 0; count < 50; count += 1) expect(await verify(second)).toBe('unavailable');
    expect(requests - before).toBeLessThan(5);
  });
});
