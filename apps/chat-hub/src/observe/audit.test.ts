import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { AuditRecord } from '@openclaw/chat-store';
import { pino } from 'pino';
import { identityOf } from '../testing/identity.ts';
import { createAudit } from './audit.ts';

const identity = identityOf('root', { kind: 'person', isAdmin: true });

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

// The race: the store commits a batch, but its answer is lost. Invariant: a repeated act has the same id, and acts
// keep their order.
it('writes acts again after a failure, each with its id and in their order', async () => {
  const batches: (readonly AuditRecord[])[] = [];
  let fail: (error: Error) => void = () => undefined;
  const audit = createAudit({
    hubId: 'hub-1',
    log: pino({ level: 'silent' }),
    store: {
      async recordAudit(records) {
        batches.push(records);
        if (batches.length === 1) await new Promise((_resolve, reject) => (fail = reject));
      },
    },
  });
  const called = (channelId: string) =>
    audit.called({ identity, transport: 'rest', requestId: null }, 'channel.delete', { channelId });
  called('one');
  called('two');
  await jest.advanceTimersByTimeAsync(1_000);
  called('three');
  fail(new Error('the answer was lost'));
  await jest.advanceTimersByTimeAsync(10_000);
  const idsOf = (batch: readonly AuditRecord[] = []) => batch.map(({ id }) => id);
  expect(batches.map((batch) => batch.map(({ target }) => target))).toEqual([
    ['one', 'two'],
    ['one', 'two', 'three'],
  ]);
  expect(idsOf(batches[1]).slice(0, 2)).toEqual(idsOf(batches[0]));
  expect(new Set(idsOf(batches[1])).size).toBe(3);
  await audit.close();
});
