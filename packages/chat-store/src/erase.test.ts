import { describeErase } from './contract/erase.contract.ts';
import { openSqlite } from './contract/opened-database.contract.ts';

describeErase('SQLite', openSqlite);
