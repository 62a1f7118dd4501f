import { describeRetention } from './contract/retention.contract.ts';
import { openSqlite } from './contract/opened-database.contract.ts';

describeRetention('SQLite', openSqlite);
