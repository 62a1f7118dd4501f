import { createRedisClient } from '@openclaw/redis-client';
import { freePort, waitFor } from '@openclaw/test-support';
import { redisCli } from './redis-cli.ts';
import { startByScript } from './start-script.ts';
const host = '127.0.0.1';
const ps = () => Promise.all([freePort(), freePort(), freePort()]);
const nodePorts = await ps(), sentinelPorts = await ps();
const environment = (port: number) => ({
  REDIS_PASSWORD: 'hub', REDIS_REPLICATION_PASSWORD: 'r', REDIS_ADMIN_PASSWORD: 'a',
  REDIS_SENTINELS: sentinelPorts.map((e) => `${host}:${e}`).join(','),
  REDIS_FIRST_MASTER: `${host}:${nodePorts[0]}`, REDIS_ANNOUNCE: `${host}:${port}`,
});
const nodes = await Promise.all(nodePorts.map((port) => startByScript('prod', environment(port), { port })));
const sentinels = await Promise.all(sentinelPorts.map((port) => startByScript('sentinel', environment(port), { port })));
console.error({nodePorts, sentinelPorts});
await waitFor(async () => (await Promise.all(sentinelPorts.map((p) => redisCli(p, ['INFO', 'sentinel'])))).every((i) => i.includes('slaves=2,sentinels=3')), { timeoutMs: 25000, everyMs: 200 });
const log = (...a: unknown[]) => console.error(new Date().toISOString(), ...a);
const client = createRedisClient({ sentinels: sentinelPorts.map((port) => ({ host, port })), password: 'hub' }, { logger: { debug: log, info: log, warn: log, error: log } as never });
client.onAvailability((a) => log('available', a));
await waitFor(() => client.available && client.subscriber.connected, {});
log('KILL', (await client.health()).runId);
await nodes[0]!.process.stop('SIGKILL');
await waitFor(async () => Number((await redisCli(sentinelPorts[0]!, ['SENTINEL', 'get-master-addr-by-name', 'openclaw'])).split('\n')[1]) !== nodePorts[0], { timeoutMs: 20000, everyMs: 50 });
log('NAMED');
const t = Date.now();
await waitFor(() => client.available && client.subscriber.connected, { timeoutMs: 12000 }).catch((e) => log(e.message));
log('BACK', Date.now() - t);
console.log(Date.now() - t);
await client.close();
await Promise.all([...nodes, ...sentinels].map((e) => e.stop()));
setTimeout(() => { console.log('still open', process.getActiveResourcesInfo()); process.exit(); }, 1000).unref();
setTimeout(() => { console.log('still open', process.getActiveResourcesInfo()); process.exit(); }, 3000);
