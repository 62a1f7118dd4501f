import { startPostgres } from '@openclaw/test-support';
import { describePages } from './pages.contract.ts';

describePages('PostgreSQL', () => startPostgres());
