import { startPostgres } from '@openclaw/test-support';
import { describeChatStore } from './chat-store.contract.ts';

describeChatStore('PostgreSQL', startPostgres);
