import { describeErase } from './contract/erase.contract.ts';
import { openPostgres } from './contract/opened-database.contract.ts';

describeErase('PostgreSQL', openPostgres);
