import { describeInboxRows } from './contract/inbox-rows.contract.ts';
import { openSqlite } from './contract/opened-database.contract.ts';

describeInboxRows('SQLite', openSqlite);
