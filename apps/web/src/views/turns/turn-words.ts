export const turnWords: Readonly<Record<string, string>> = {
  queued: 'has it in its queue',
  thinking: 'is thinking',
  tool: 'is using a tool',
  streaming: 'is writing',
  waiting: 'is waiting',
};
