import { temporaryDatabase } from '../testing/test-hub.ts';
import { describePages } from './pages.contract.ts';

describePages('SQLite', async () => {
  const database = await temporaryDatabase();
  return { url: database.url, stop: () => database.remove() };
});
