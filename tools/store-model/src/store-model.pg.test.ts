import { startPostgres } from '@openclaw/test-support';
import { describeStoreModel } from './store-model.contract.ts';

describeStoreModel('PostgreSQL', startPostgres, {
  numRuns: 12,
  budgetMs: 12_000,
  keepsTime: 'server',
});
