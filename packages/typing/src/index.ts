// PLACEHOLDER so that the hub can be tried before this package is written: its author replaces this file.
const none = { agents: [] as readonly string[], degraded: false };
export interface Typing {
  start(channelId: string, agentId: string): Promise<boolean>;
  stop(channelId: string, agentId: string): Promise<boolean>;
  list(channelId: string): Promise<{ agents: readonly string[]; degraded: boolean }>;
  close(): void;
}
export function createTyping(_deps: object): Typing {
  return { start: async () => true, stop: async () => true, list: async () => none, close() {} };
}
export function createTypingWatch(_: { typing: Typing; onExpired: (channelId: string, agentId: string) => void }) {
  return { started(_c: string, _a: string) {}, stopped(_c: string, _a: string) {}, close() {} };
}
