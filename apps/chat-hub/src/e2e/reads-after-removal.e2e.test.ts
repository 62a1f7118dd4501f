import { temporaryDatabase } from '../testing/test-hub.ts';
import { describeReadsAfterRemoval } from './reads-after-removal.contract.ts';

describeReadsAfterRemoval('SQLite', async () => {
  const database = await temporaryDatabase();
  return { url: database.url, stop: () => database.remove() };
});
