import { temporaryDatabase } from '../testing/test-hub.ts';
import { describeReadsAfterRemoval } from './reads-after-removal.contract.ts';

describeReadsAfterRemoval('SQLite', async () => {
  const { url, remove } = await temporaryDatabase();
  return { url, stop: remove };
});
