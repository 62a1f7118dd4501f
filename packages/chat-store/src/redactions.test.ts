import { describeRedactions } from './contract/redactions.contract.ts';
import { openSqlite } from './contract/opened-database.contract.ts';

describeRedactions('SQLite', openSqlite, 1200);
