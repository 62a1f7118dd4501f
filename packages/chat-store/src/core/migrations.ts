import type { Kysely } from 'kysely';
import { recordCompatibility, type StoreMigration } from './compatibility.ts';
import type { Dialect } from './engine.ts';
import { createLogAndProjections } from './migrations/0001-log-and-projections.ts';
import { addHubsCutOff } from './migrations/0002-hubs-cut-off.ts';
import { readHeadsFromLog } from './migrations/0003-heads-from-log.ts';
import { addMessageOrdinals } from './migrations/0004-message-ordinals.ts';
import { addRedactions } from './migrations/0005-redactions.ts';
import { addAgentsAndTaints } from './migrations/0006-agents-and-taints.ts';
import { addRetention } from './migrations/0007-retention.ts';
import { orderLogByCommits } from './migrations/0008-log-in-order-of-commits.ts';
import { addJoinedSeq } from './migrations/0009-joined-seq.ts';
import { addChannelOrders } from './migrations/0010-channel-orders.ts';
import { addClaims } from './migrations/0011-claims.ts';
import { addTokensAndAudit } from './migrations/0012-tokens-and-audit.ts';
import { addLedger } from './migrations/0013-ledger.ts';
import { addFreezes } from './migrations/0014-freezes.ts';
import { addBudgets } from './migrations/0015-budgets.ts';
import { createSearchTables } from './migrations/0016-search.ts';
import { addThreadActivity } from './migrations/0017-thread-activity.ts';
import { createAgentOrdersTable } from './migrations/0018-agent-orders.ts';
import { createInboxTables } from './migrations/0019-inbox.ts';
import { addAsks } from './migrations/0020-asks.ts';
import { addQuestions } from './migrations/0021-questions.ts';
import { createStreamsTable } from './migrations/0022-streams.ts';
import { createHubAgentsTable } from './migrations/0023-hub-agents.ts';
import { addOperationsMinutes } from './migrations/0024-operations-minutes.ts';
import { addInboxOfAllSweep } from './migrations/0025-inbox-of-all.ts';

const first = { release: '0.1.0', compatibleFrom: '0.1.0' };
/**
 * Hubs before 0.2.0 read a channel's head from the channel's row, where 0003 removes it. They also write messages
 * without the numbers that 0004 adds.
 */
const second = { release: '0.2.0', compatibleFrom: '0.2.0' };

/** Oldest first. Never change a released migration. */
const migrations: Readonly<
  Record<
    string,
    Pick<StoreMigration, 'release' | 'compatibleFrom'> & {
      readonly up: (db: Kysely<unknown>, dialect: Dialect) => Promise<void>;
    }
  >
> = {
  '0001_log_and_projections': { ...first, up: createLogAndProjections },
  '0002_hubs_cut_off': { ...first, up: addHubsCutOff },
  '0003_heads_from_log': { ...second, up: readHeadsFromLog },
  '0004_message_ordinals': { ...second, up: addMessageOrdinals },
  '0005_redactions': { ...second, up: addRedactions },
  '0006_agents_and_taints': { ...second, up: addAgentsAndTaints },
  '0007_retention': { ...second, up: addRetention },
  '0008_log_in_order_of_commits': { ...second, up: orderLogByCommits },
  '0009_joined_seq': { ...second, up: addJoinedSeq },
  '0010_channel_orders': { ...second, up: addChannelOrders },
  '0011_claims': { ...second, up: addClaims },
  '0012_tokens_and_audit': { ...second, up: addTokensAndAudit },
  '0013_ledger': { ...second, up: addLedger },
  '0014_freezes': { ...second, up: addFreezes },
  '0015_budgets': { ...second, up: addBudgets },
  '0016_search': { ...second, up: createSearchTables },
  '0017_thread_activity': { ...second, up: addThreadActivity },
  '0018_agent_orders': { ...second, up: createAgentOrdersTable },
  '0019_inbox': { ...second, up: createInboxTables },
  '0020_asks': { ...second, up: addAsks },
  '0021_questions': { ...second, up: addQuestions },
  '0022_streams': { ...second, up: createStreamsTable },
  '0023_hub_agents': { ...second, up: createHubAgentsTable },
  '0024_operations_minutes': { ...second, up: addOperationsMinutes },
  '0025_inbox_of_all': { ...second, up: addInboxOfAllSweep },
};

export function createMigrations(dialect: Dialect): Record<string, StoreMigration> {
  const bound = Object.entries(migrations).map(([name, migration]) => [
    name,
    { ...migration, up: (db: Kysely<unknown>) => migration.up(db, dialect) },
  ]);
  return recordCompatibility(Object.fromEntries(bound) as Record<string, StoreMigration>);
}
