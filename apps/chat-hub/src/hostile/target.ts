import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startHub } from '@openclaw/test-support';
import { exportJWK, exportSPKI, generateKeyPair, type CryptoKey } from 'jose';
import { mintToken } from '../edge/mint.ts';
import { inspected, openInspector } from './inspector.ts';
import { openWitness } from './witness.ts';

/** A hub in a process of its own, made to be attacked. */
export interface Target {
  readonly port: number;
  readonly secret: string;
  /** Signs what the hub takes by its JWKS URL, under the kid `k1`. */
  readonly privateKey: CryptoKey;
  /** The public half of that key, as anyone can fetch it. */
  readonly publicKey: { readonly pem: string; readonly jwk: string };
  tokenOf(agentId: string): Promise<string>;
  /** The agent's WebSocket, with its token. */
  socketUrl(agentId: string): Promise<string>;
  /** Throws unless the hub lives, serves others, and has logged no error. */
  assertUnharmed(): Promise<void>;
  /** See {@link Inspector.heldBytes}. */
  heldBytes(): Promise<number>;
  stop(): Promise<void>;
}

const secret = 'a-secret-of-the-fuzzers-with-more-than-32-characters';

/** Starts one; `env` names its database and Redis. It has limits that no fuzzer reaches. */
export async function startTarget(env: Readonly<Record<string, string>> = {}): Promise<Target> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = JSON.stringify({ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' });
  const keyServer = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(`{"keys":[${jwk}]}`);
  });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
  const keyPort = (keyServer.address() as AddressInfo).port;
  const hub = await startHub({
    env: {
      ...inspected,
      HUB_HOST: '127.0.0.1',
      HUB_JWT_SECRET: secret,
      HUB_JWKS_URL: `http://127.0.0.1:${keyPort}/keys`,
      // So that each wrong token may come from an address of its own.
      HUB_TRUSTED_PROXIES: '127.0.0.1',
      HUB_LIMIT_MESSAGE: '1000000/60',
      HUB_LIMIT_REACTION: '1000000/60',
      HUB_LIMIT_TYPING: '1000000/60',
      HUB_LIMIT_CREATE: '1000000/60',
      LOG_LEVEL: 'error',
      ...env,
    },
  });
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (agentId: string) => {
    const known =
      tokens.get(agentId) ??
      mintToken(secret, { agentId, ttlSeconds: 86_400 }).then(({ token }) => token);
    tokens.set(agentId, known);
    return known;
  };
  const socketUrl = async (agentId: string) =>
    `${hub.url}/v1/ws?access_token=${await tokenOf(agentId)}`;
  const knownFaults = new Set<string>();
  const inspector = await openInspector(() => hub.output());
  const witness = await openWitness(socketUrl);
  return {
    ...{ port: hub.port, secret, privateKey: pair.privateKey, tokenOf, socketUrl },
    publicKey: { pem: await exportSPKI(pair.publicKey), jwk },
    async assertUnharmed() {
      await witness.look();
      // Each is held against the calls that made it, and not against all that follow.
      const faults = hub
        .output()
        .split('\n')
        .filter((line) => isFault(line) && !knownFaults.has(line));
      for (const fault of faults) knownFaults.add(fault);
      if (faults.length > 0) throw new Error(`the hub calls it a fault of its own: ${faults[0]}`);
    },
    heldBytes: () => inspector.heldBytes(),
    async stop() {
      inspector.close();
      await witness.close();
      await hub.stop();
      keyServer.closeAllConnections();
      keyServer.close();
    },
  };
}

/** A line of pino's at error or fatal. */
function isFault(line: string): boolean {
  return /"level":[56]0/.test(line);
}
