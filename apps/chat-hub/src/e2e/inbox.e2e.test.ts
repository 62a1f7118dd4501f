import { describeInboxes } from './inbox.contract.ts';

await describeInboxes('SQLite');
