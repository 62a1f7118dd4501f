import { describeRedactions } from './contract/redactions.contract.ts';
import { openPostgres } from './contract/opened-database.contract.ts';

describeRedactions('PostgreSQL', openPostgres, 8000);
