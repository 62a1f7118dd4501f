import { describeRetention } from './contract/retention.contract.ts';
import { openPostgres } from './contract/opened-database.contract.ts';

describeRetention('PostgreSQL', openPostgres);
