import { describe, expect, it } from '@jest/globals';
import { envelopeOf, messageOf, sentOf } from '../testing/events.ts';
import { failureOf, mayConcern } from './concerns.ts';

const emitted = (name: string, payload: Record<string, string> = {}) =>
  envelopeOf(7, { type: 'collaboration.event', channelId: 'c', name, payload });

describe('a failure of an agent', () => {
  it.each(['task.failed', 'build_error', 'failed', 'turn.failure', 'agent-crashed'])(
    'is an event named %s',
    (name) => {
      expect(failureOf(emitted(name, { step: 'deploy' }))).toMatchObject({
        ...{ kind: 'failure', id: 'c/7', senderId: 'bob', text: `${name}: deploy` },
      });
    },
  );

  it('is a message that ended early, at its own place, and agents whose turns are used up', () => {
    const broken = messageOf(3, { state: 'interrupted', threadId: 'root', content: 'Half' });
    const edit = envelopeOf(9, { type: 'channel.message.edit', channelId: 'c', message: broken });
    expect(failureOf(edit)).toMatchObject({
      ...{ id: 'c/9', seq: 3, threadId: 'root', text: 'The message ended early: Half' },
    });
    expect(failureOf(emitted('budget.exhausted'))?.text).toMatch(/wait for a person/);
  });

  it('is no other event', () => {
    for (const name of ['task.end', 'failedover', 'error.cleared', 'terror'])
      expect(failureOf(emitted(name))).toBeNull();
    const edit = { type: 'channel.message.edit', channelId: 'c', message: messageOf(3) } as const;
    expect(failureOf(envelopeOf(9, edit))).toBeNull();
    expect(failureOf(sentOf(1))).toBeNull();
  });
});

it('The inbox is read again after events that may have changed it, and not after others', () => {
  const may = (envelope: Parameters<typeof mayConcern>[0], isDirect = false) =>
    mayConcern(envelope, 'ada', isDirect);
  expect(may(sentOf(1, { mentions: ['ada'] }))).toBe(true);
  expect(may(sentOf(1, { mentionsAll: true }))).toBe(true);
  expect(may(sentOf(1, { threadId: 'root' }))).toBe(true);
  expect(may(sentOf(1, { replyTo: 'm0' }))).toBe(true);
  expect(may(sentOf(1), true)).toBe(true);
  expect(may(emitted('ask.expired'))).toBe(true);
  expect(may(sentOf(1))).toBe(false);
  expect(may(sentOf(1, { senderId: 'ada', mentions: ['ada'] }))).toBe(false);
  expect(may(emitted('task.end'))).toBe(false);
});
