import { startPostgres } from '@openclaw/test-support';
import { closeAfterAll } from '../testing/close-after-all.ts';
import { describeInboxes } from './inbox.contract.ts';

const server = closeAfterAll(await startPostgres());
await describeInboxes('PostgreSQL', { HUB_DB_URL: server.url });
