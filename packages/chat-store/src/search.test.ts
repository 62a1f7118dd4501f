import { openSqlite } from './contract/opened-database.contract.ts';
import { describeSearch } from './contract/search.contract.ts';

describeSearch('SQLite', openSqlite);
