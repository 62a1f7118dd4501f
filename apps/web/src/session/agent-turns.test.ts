import { expect, it } from '@jest/globals';
import { createAgentTurns } from './agent-turns.ts';

function create() {
  let deliver: (payload: object, channelId?: string) => void = () => undefined;
  const { turns } = createAgentTurns({
    call: () => Promise.reject(new Error('not called here')),
    on(_name: string, listener: unknown) {
      deliver = (payload, channelId = 'c') => {
        const event = { type: 'collaboration.event', channelId, name: 'turn.state', payload };
        (listener as (envelope: object) => void)({ event });
      };
      return () => undefined;
    },
  });
  const say = (agentId: unknown, state: string, channelId?: string) =>
    deliver({ agentId, state, threadId: null, label: null, untilMs: 5 }, channelId);
  return { turns, say };
}

it('knows the latest turn of each agent, until that turn ends', () => {
  const { turns, say } = create();
  say('bot', 'thinking');
  say('other', 'waiting');
  say('bot', 'tool', 'd');
  say('bot', 'idle', 'c');
  expect(turns.value.get('bot')).toMatchObject({ state: 'tool', untilMs: 5 });
  say('bot', 'idle', 'd');
  expect(turns.value.get('bot')?.state).toBe('idle');
  expect(turns.value.get('other')?.state).toBe('waiting');
});

it('forgets the oldest of more than two thousand agents, and ignores what has no agent', () => {
  const { turns, say } = create();
  for (let n = 0; n <= 2_000; n += 1) say(`bot-${n}`, 'thinking');
  say(7, 'thinking');
  expect(turns.value.size).toBe(2_000);
  expect(turns.value.has('bot-0')).toBe(false);
});
