import { startHubPair, startPostgres } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { describeKilledStreams } from './streams-kill.contract.ts';

const postgres = closeAfterAll(await startPostgres());
const noRedis = { REDIS_URL: 'redis://127.0.0.1:1' };
const pair = closeAfterAll(await startHubPair({ HUB_DB_URL: postgres.url, ...noRedis }));

describeKilledStreams('PostgreSQL', pair.hubs);
