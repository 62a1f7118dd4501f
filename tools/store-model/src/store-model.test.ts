import { join } from 'node:path';
import { temporaryFolder } from '@openclaw/test-support';
import { describeStoreModel } from './store-model.contract.ts';

describeStoreModel(
  'SQLite',
  async () => {
    const folder = await temporaryFolder('store-model');
    return { url: `sqlite:${join(folder.path, 'hub.sqlite')}`, stop: () => folder.remove() };
  },
  { numRuns: 40, budgetMs: 14_000, keepsTime: 'hub' },
);
