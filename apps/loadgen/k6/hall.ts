// All users are in one channel. See README.md beside this file.
import { createChat } from './chat.ts';

const chat = createChat({ scenario: 'hall', channels: 1, rate: 1_000 });

export const options = chat.options;
export const setup = chat.setup;
export const teardown = chat.teardown;
export default chat.run;
