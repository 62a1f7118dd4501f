import { describe } from '@jest/globals';
import {
  hasOpenssl,
  redisHealth,
  startTlsRedis,
  waitFor,
  type TlsRedis,
} from '@openclaw/test-support';
import { deliverySuite, type Fault, type Topology } from './delivery.contract.ts';

interface OverTls extends Topology {
  readonly redis: TlsRedis;
}

const killUser = 'CLIENT KILL USER hub';

const faults: Fault<OverTls>[] = [
  {
    title: 'a kill -9 and restart of the server',
    cutOff: [0, 1],
    strike: ({ redis }) => redis.kill(),
    recover: ({ redis }) => redis.restart(),
  },
  {
    // A rotation may change the server's password first. Until the hubs' password is valid, the hubs work without
    // Redis.
    title: "a password of the hubs' user that is wrong for a while",
    cutOff: [0, 1],
    async strike({ redis }) {
      await redis.command('ACL SETUSER hub resetpass >another-secret');
      await redis.command(killUser);
    },
    async recover({ redis }) {
      await redis.command(`ACL SETUSER hub >${redis.userPassword}`);
    },
  },
  {
    title: 'topics that the ACL forbids for a while',
    cutOff: [],
    async strike({ redis }, { hubs }) {
      await redis.command('ACL SETUSER hub resetchannels');
      await redis.command(killUser);
      await waitFor(async () => (await redisHealth(hubs[0])).subscriber.unconfirmed > 0, {
        what: 'a topic that is refused',
      });
    },
    async recover({ redis }) {
      await redis.command('ACL SETUSER hub &openclaw:*');
    },
  },
];

if (hasOpenssl()) {
  deliverySuite<OverTls>(
    'TLS with an ACL user and a password',
    async () => {
      const redis = await startTlsRedis();
      const env = { CHAT_REDIS_URL: redis.tlsUrl, NODE_EXTRA_CA_CERTS: redis.caFile };
      return { redis, env, stop: () => redis.stop() };
    },
    faults,
  );
} else {
  describe.skip('hubs on Redis over TLS (needs openssl to make a certificate)', () => undefined);
}
