import type { RedisConnection } from '@openclaw/redis-client';

export function shownAddress(connection: RedisConnection): string {
  const {
    url,
    username,
    host = 'localhost',
    port = 6379,
    tls,
    db,
    sentinels,
    cluster,
  } = connection;
  if (url !== undefined) {
    const { protocol, username: user, host: address, pathname } = new URL(url);
    return `${protocol}//${user ? `${user}@` : ''}${address}${pathname}`;
  }
  const list = (nodes: readonly { host: string; port: number }[]) =>
    nodes.map((node) => `${node.host}:${node.port}`).join(',');
  if (sentinels) return `the master that ${list(sentinels)} name`;
  if (cluster) return `the Cluster of ${list(cluster)}`;
  if (host.startsWith('/')) return `unix://${host}${db ? `?db=${db}` : ''}`;
  return `${tls ? 'rediss' : 'redis'}://${username ? `${username}@` : ''}${host}:${port}${db ? `/${db}` : ''}`;
}
