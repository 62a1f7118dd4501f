import { temporaryDatabase } from '../testing/test-hub.ts';
import { describePages } from './pages.contract.ts';

describePages('SQLite', async () => {
  const { url, remove } = await temporaryDatabase();
  return { url, stop: remove };
});
