import { startPostgres } from '@openclaw/test-support';
import { describeReadsAfterRemoval } from './reads-after-removal.contract.ts';

describeReadsAfterRemoval('PostgreSQL', () => startPostgres());
