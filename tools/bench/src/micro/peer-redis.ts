import { Redis } from 'ioredis';

/** Peers expect the replies of the protocol's version 2. */
export async function connectPeerRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, { protocol: 2, lazyConnect: true });
  await redis.connect();
  return redis;
}
