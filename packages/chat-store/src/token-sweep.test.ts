import { openSqlite } from './contract/opened-database.contract.ts';
import { describeTokenSweep } from './contract/token-sweep.contract.ts';

describeTokenSweep('SQLite', openSqlite);
