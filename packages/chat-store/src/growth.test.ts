import { describeGrowth } from './contract/growth.contract.ts';
import { openSqlite } from './contract/opened-database.contract.ts';

describeGrowth('SQLite', openSqlite);
