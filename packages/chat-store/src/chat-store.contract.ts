import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeAsks } from './contract/asks.contract.ts';
import { describeBudgets } from './contract/budgets.contract.ts';
import { describeChannels } from './contract/channels.contract.ts';
import { describeClaims } from './contract/claims.contract.ts';
import { describeDirectMessages } from './contract/direct.contract.ts';
import { describeFreezes } from './contract/freezes.contract.ts';
import { describeHubs } from './contract/hubs.contract.ts';
import { describeInbox } from './contract/inbox.contract.ts';
import { describeLanes } from './contract/lanes.contract.ts';
import { describeLedger } from './contract/ledger.contract.ts';
import { describeLog } from './contract/log.contract.ts';
import { describeMembers } from './contract/members.contract.ts';
import { describeMentions } from './contract/mentions.contract.ts';
import { describeMessages } from './contract/messages.contract.ts';
import { describeOperations } from './contract/operations.contract.ts';
import { describeOrigin } from './contract/origin.contract.ts';
import { describePages } from './contract/pages.contract.ts';
import { describeQuestions } from './contract/questions.contract.ts';
import { describeReading } from './contract/reading.contract.ts';
import { describeRepeats } from './contract/repeats.contract.ts';
import { describeStreams } from './contract/streams.contract.ts';
import { describeReactionsAndThreads } from './contract/threads.contract.ts';
import { describeRights } from './contract/rights.contract.ts';
import { describeTokens } from './contract/tokens.contract.ts';
import { createChatStore, type ChatStore, type ChatStoreOptions } from './index.ts';

/** `start` creates an empty database. */
export function describeChatStore(
  engine: string,
  start: () => Promise<{ readonly url: string; stop(): Promise<void> }>,
): void {
  describe(`a chat store on ${engine}`, () => {
    let server: Awaited<ReturnType<typeof start>>;
    let store: ChatStore;
    const others = new Map<number, Promise<ChatStore>>();
    const database = () => ({
      store,
      another(number = 1) {
        const other = others.get(number) ?? createChatStore({ url: server.url });
        others.set(number, other);
        return other;
      },
      open: (options: Partial<ChatStoreOptions> = {}) =>
        createChatStore({ url: server.url, ...options }),
    });

    beforeAll(async () => {
      server = await start();
      store = await createChatStore({ url: server.url });
    }, 60_000);
    afterAll(async () => {
      const stores = [store, ...(await Promise.all(others.values()))];
      await Promise.all(stores.map((one) => one.close()));
      await server.stop();
    });

    describeChannels(database);
    describeMembers(database);
    describeRights(database);
    describeMessages(database);
    describeMentions(database);
    describeInbox(database);
    describeOrigin(database);
    describeReactionsAndThreads(database);
    describeClaims(database);
    describeAsks(database);
    describeQuestions(database);
    describeLedger(database);
    describeFreezes(database);
    describeBudgets(database);
    describeStreams(database);
    describeDirectMessages(database);
    describeLog(database);
    describeRepeats(database);
    describePages(database);
    describeReading(database);
    describeHubs(database);
    describeLanes(database);
    describeTokens(database);
    describeOperations(database);
  });
}
