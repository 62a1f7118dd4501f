import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  inspectorEnv,
  openInspector,
  signToken,
  openBystanders,
  startHub,
} from '@openclaw/test-support';
import { exportJWK, exportSPKI, generateKeyPair, type CryptoKey } from 'jose';

export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly secret: string;
  /** Its public key is served at the hub's JWKS URL as kid `k1`. */
  readonly privateKey: CryptoKey;
  readonly publicKey: { readonly pem: string; readonly jwk: string };
  tokenOf(agentId: string): string;
  socketUrl(agentId: string): string;
  /** Rejects unless the hub serves other agents and has logged no error since the last check. */
  assertUnharmed(): Promise<void>;
  retainedBytes(): Promise<number>;
  stop(): Promise<void>;
}

const secret = 'a-secret-for-fuzzing-with-more-than-32-characters';

/** The hub's limits are so high that the fuzzers do not reach them. `env` names its database and Redis. */
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
      ...inspectorEnv,
      HUB_HOST: '127.0.0.1',
      HUB_JWT_SECRET: secret,
      HUB_JWKS_URL: `http://127.0.0.1:${keyPort}/keys`,
      // The hub believes X-Forwarded-For, so that each token can come from another address.
      HUB_TRUSTED_PROXIES: '127.0.0.1',
      HUB_LIMIT_MESSAGE: '1000000/60',
      HUB_LIMIT_REACTION: '1000000/60',
      HUB_LIMIT_TYPING: '1000000/60',
      HUB_LIMIT_CREATE: '1000000/60',
      LOG_LEVEL: 'error',
      ...env,
    },
  });
  const tokens = new Map<string, string>();
  const tokenOf = (agentId: string) => {
    const token = tokens.get(agentId) ?? signToken(secret, agentId, 86_400);
    tokens.set(agentId, token);
    return token;
  };
  const socketUrl = (agentId: string) => `${hub.url}/v1/ws?access_token=${tokenOf(agentId)}`;
  const knownErrors = new Set<string>();
  const inspector = await openInspector(() => hub.output());
  const bystanders = await openBystanders(socketUrl);
  async function stop() {
    inspector.close();
    await bystanders.close();
    await hub.stop();
    keyServer.closeAllConnections();
    keyServer.close();
  }

  return {
    port: hub.port,
    secret,
    privateKey: pair.privateKey,
    tokenOf,
    socketUrl,
    publicKey: { pem: await exportSPKI(pair.publicKey), jwk },
    async assertUnharmed() {
      await bystanders.exchangeMessage();
      // Each logged error is reported only once, so that it is blamed on the calls that caused it.
      const errors = hub
        .output()
        .split('\n')
        .filter((line) => isErrorLine(line) && !knownErrors.has(line));
      for (const error of errors) knownErrors.add(error);
      if (errors.length > 0) throw new Error(`the hub logged an error: ${errors[0]}`);
    },
    retainedBytes: () => inspector.retainedBytes(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** pino's levels error and fatal. */
function isErrorLine(line: string): boolean {
  return /"level":[56]0/.test(line);
}
