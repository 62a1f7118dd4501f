import { createTyping } from './index.ts';
import { sharedTypingContract } from './shared-typing.contract.ts';

sharedTypingContract('without Redis', (options) => createTyping({}, options));
