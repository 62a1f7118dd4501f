import { openPostgres } from './contract/opened-database.contract.ts';
import { describeTokenSweep } from './contract/token-sweep.contract.ts';

describeTokenSweep('PostgreSQL', openPostgres);
