import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKeySchema } from '@openclaw/key-schema';
import {
  createCertificateAuthority,
  freePort,
  hasOpenssl,
  randomPrefix,
  waitFor,
  type CertificateAuthority,
} from '@openclaw/test-support';
import { createRedisClient, openRedisServers, parseRedisEnvironment } from './index.ts';
import { clientsOfTest, recordingLogger, untilUp } from './testing/clients.ts';
import { startTlsServer, tlsArguments } from './testing/tls-server.ts';

const clients = clientsOfTest();
const withOpenssl = hasOpenssl() ? describe : describe.skip;
let authority: CertificateAuthority;

beforeAll(async () => {
  authority = await createCertificateAuthority();
});
afterAll(() => authority.remove());

/** A Cluster of one master that announces the name localhost, with a certificate for `names`. */
async function startNamedCluster(...names: string[]) {
  const certificate = authority.issue(`node-${names.length}`, ...names);
  const server = await startTlsServer([
    ...tlsArguments(authority, certificate),
    ...['--tls-auth-clients', 'no', '--cluster-enabled', 'yes', '--tls-cluster', 'yes'],
    ...['--cluster-port', String(await freePort()), '--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-announce-hostname', 'localhost'],
    ...['--cluster-preferred-endpoint-type', 'hostname'],
  ]);
  const cli = (...args: string[]) =>
    execFileSync('redis-cli', [
      ...['--tls', '--cacert', authority.caFile, '-h', 'localhost', '-p', String(server.port)],
      ...args,
    ]).toString();
  cli('cluster', 'addslotsrange', '0', '16383');
  await waitFor(() => cli('cluster', 'info').includes('cluster_state:ok'));
  return server;
}

const environment = (port: number) => ({
  CHAT_REDIS_URL: `rediss://localhost:${port}`,
  CHAT_REDIS_CLUSTER: 'true',
  CHAT_REDIS_TLS_CA_FILE: authority.caFile,
});

withOpenssl('a Cluster over TLS whose certificates name hosts (needs openssl)', () => {
  // By default, ioredis connects to the nodes' addresses, but the certificate names no address.
  it('connects by name, for commands, subscriptions and tools', async () => {
    const server = await startNamedCluster('DNS:localhost');
    try {
      const connection = parseRedisEnvironment(environment(server.port))!;
      const redis = await clients.connect(connection);
      const topic = createKeySchema({ prefix: randomPrefix(), hashTags: true }).channelTopic('x');
      const heard: string[] = [];
      await redis.subscriber.subscribe(topic, (message) => heard.push(message));
      await redis.send(['SPUBLISH', topic, 'hello']);
      await waitFor(() => heard.length === 1);
      const tools = await openRedisServers(connection);
      expect(tools.servers).toMatchObject([{ address: `localhost:${server.port}` }]);
      tools.close();
    } finally {
      await server.stop();
    }
  });

  // Negative control. ioredis only reports "Failed to refresh slots cache.", so the client must find out the reason.
  it('is unavailable when the certificate names another host, and says so with the node', async () => {
    const server = await startNamedCluster('DNS:elsewhere.example', 'DNS:other.example');
    try {
      const logger = recordingLogger();
      const redis = clients.open(
        { ...parseRedisEnvironment(environment(server.port))!, password: 'hunter2' },
        logger,
      );
      await waitFor(async () => {
        const error = await redis.send(['PING']).catch((thrown: unknown) => thrown);
        return /localhost:\d+: Hostname\/IP does not match certificate/.test(String(error));
      });
      expect(redis.available).toBe(false);
      expect(JSON.stringify(logger.lines)).not.toContain('hunter2');
    } finally {
      await server.stop();
    }
  });
});

withOpenssl('the certificates of the servers (needs openssl)', () => {
  it('are reported for each connection that accepts them, and for no other', async () => {
    const certificate = authority.issueFor(9, 'nine-days', 'DNS:localhost');
    const server = await startTlsServer([
      ...tlsArguments(authority, certificate),
      ...['--tls-auth-clients', 'no'],
    ]);
    const tls = { ca: readFileSync(authority.caFile) };
    const open = (host: string) => {
      const seen: object[] = [];
      const redis = createRedisClient(
        { host, port: server.port, tls },
        { onCertificate: (found) => seen.push(found) },
      );
      return { redis, seen };
    };
    const [named, unnamed] = [open('localhost'), open('127.0.0.1')];
    try {
      await untilUp(named.redis);
      const { validTo } = new X509Certificate(readFileSync(certificate.certificateFile));
      const expected = { host: 'localhost', expiresAtMs: Date.parse(validTo) };
      expect(named.seen).toEqual([expected, expected]);
      await waitFor(async () =>
        String(await unnamed.redis.send(['PING']).catch((thrown: unknown) => thrown)).includes(
          'does not match certificate',
        ),
      );
      expect(unnamed.seen).toEqual([]);
    } finally {
      await Promise.all([named.redis.close(), unnamed.redis.close()]);
      await server.stop();
    }
  });
});

withOpenssl('a server that asks for client certificates (needs openssl)', () => {
  let server: { port: number; stop(): Promise<void> };
  beforeAll(async () => {
    const certificate = authority.issue('server', 'DNS:localhost');
    server = await startTlsServer([
      ...tlsArguments(authority, certificate),
      ...['--tls-auth-clients', 'yes', '--user', 'chat', 'on', '>p4ss', '~*', '&*', '+@all'],
    ]);
  });
  afterAll(() => server.stop());

  const tls = () => ({
    REDIS_HOST: 'localhost',
    REDIS_PORT: String(server.port),
    REDIS_USERNAME: 'chat',
    REDIS_PASSWORD: 'p4ss',
    CHAT_REDIS_TLS: 'true',
    CHAT_REDIS_TLS_CA_FILE: authority.caFile,
  });

  it('accepts the certificate and key of the environment, as the user that it names', async () => {
    const { certificateFile, keyFile } = authority.issue('client');
    const redis = await clients.connect(
      parseRedisEnvironment({
        ...tls(),
        CHAT_REDIS_TLS_CERT_FILE: certificateFile,
        CHAT_REDIS_TLS_KEY_FILE: keyFile,
      })!,
    );
    expect(await redis.send(['ACL', 'WHOAMI'])).toBe('chat');
  });

  it('refuses a client without one, and the reason says so', async () => {
    const redis = clients.open(parseRedisEnvironment(tls())!);
    await waitFor(async () => {
      const error = await redis.send(['PING']).catch((thrown: unknown) => thrown);
      return /certificate required|ECONNRESET|EPIPE|lost/.test(String(error));
    });
    expect(redis.available).toBe(false);
  });

  it('is reached at an address that its certificate does not name, with a server name', async () => {
    const { certificateFile, keyFile } = authority.issue('client');
    const settings = {
      ...tls(),
      REDIS_HOST: '127.0.0.1',
      CHAT_REDIS_TLS_CERT_FILE: certificateFile,
      CHAT_REDIS_TLS_KEY_FILE: keyFile,
    };
    const named = clients.open(
      parseRedisEnvironment({ ...settings, CHAT_REDIS_TLS_SERVERNAME: 'localhost' })!,
    );
    await untilUp(named);
    const unnamed = clients.open(parseRedisEnvironment(settings)!);
    await waitFor(async () =>
      String(await unnamed.send(['PING']).catch((thrown: unknown) => thrown)).includes(
        'does not match certificate',
      ),
    );
  });

  it('is not asked without TLS, nor with files that are no certificates', () => {
    const { CHAT_REDIS_TLS: _on, ...plain } = tls();
    const { certificateFile, keyFile } = authority.issue('other');
    for (const [settings, name] of [
      [plain, 'CHAT_REDIS_TLS_CA_FILE needs TLS'],
      [{ ...tls(), CHAT_REDIS_TLS_CA_FILE: keyFile }, 'CHAT_REDIS_TLS_CA_FILE cannot be used'],
      [{ ...tls(), CHAT_REDIS_TLS_CERT_FILE: certificateFile }, 'CHAT_REDIS_TLS_CERT_FILE needs'],
      [{ ...tls(), CHAT_REDIS_TLS_KEY_FILE: keyFile }, 'CHAT_REDIS_TLS_KEY_FILE needs'],
      [
        {
          ...tls(),
          CHAT_REDIS_TLS_CERT_FILE: authority.caFile,
          CHAT_REDIS_TLS_KEY_FILE: keyFile,
        },
        'CHAT_REDIS_TLS_CERT_FILE cannot be used',
      ],
      [{ ...tls(), CHAT_REDIS_TLS_CA_FILE: '/no/such' }, 'CHAT_REDIS_TLS_CA_FILE names a file'],
    ] as const) {
      const read = () => parseRedisEnvironment(settings);
      expect(read).toThrow(expect.objectContaining({ message: expect.stringContaining(name) }));
      const key = readFileSync(keyFile, 'utf8').split('\n')[1]!;
      expect(read).toThrow(expect.not.objectContaining({ message: expect.stringContaining(key) }));
    }
  });
});
