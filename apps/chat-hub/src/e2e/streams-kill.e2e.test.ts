import { startHubPair, startRedis, usesRedis, waitFor } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { describeKilledStreams } from './streams-kill.contract.ts';

const redis = closeAfterAll(await startRedis());
const pair = closeAfterAll(await startHubPair({ REDIS_URL: redis.url }));
const [hubA, hubB] = pair.hubs;
await waitFor(async () => (await usesRedis(hubA)) && (await usesRedis(hubB)), { what: 'Redis' });

describeKilledStreams('SQLite', pair.hubs);
