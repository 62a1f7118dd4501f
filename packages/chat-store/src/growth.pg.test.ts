import { describeGrowth } from './contract/growth.contract.ts';
import { openPostgres } from './contract/opened-database.contract.ts';

describeGrowth('PostgreSQL', openPostgres);
