import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Envelope } from '@openclaw/protocol';
import type { CallSyncMethod } from './calls.ts';
import { HubError } from './errors.ts';
import { exampleEnvelope, exampleWelcome } from './scripted-hub.test.support.ts';
import { createSubscriptions } from './subscriptions.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

// The hub's log is right, but its connection loses, repeats and reorders events. Most steps append events to the log,
// and decide how the connection delivers them.
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('lose', 'double', 'swap') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reconnect', 'answer', 'answer') }) },
);

describe('subscriptions over a wire that loses, doubles and reorders events', () => {
  it('deliver every durable event once and in order, for any size of a resume', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, resumeMax, heldMax) => {
          const log: Envelope[] = [];
          const handedOn: (number | null)[] = [];
          let answers: (() => void)[] = [];
          let failures: (() => void)[] = [];
          // A later step answers the call, from the log as it is then.
          const ask = ((
            method: string,
            params: { after?: number; topics?: { since: number | null }[] },
            onResult: (result: unknown) => void,
            onError: (error: HubError) => void,
          ) => {
            failures.push(() => onError(new HubError('disconnected', 'lost')));
            answers.push(() => {
              if (method === 'log.read') {
                const after = params.after ?? 0;
                const events = log.slice(after, after + 3);
                return onResult({ events, head: log.length, hasMore: after + 3 < log.length });
              }
              const since = params.topics?.[0]?.since ?? null;
              const missed = log.slice(since ?? log.length);
              const resumed = since !== null && missed.length <= resumeMax;
              const events = resumed ? missed : [];
              const head = log.length;
              onResult({
                topics: [{ channelId: 'hall', head, resumed, events, presencePushed: true }],
              });
            });
          }) as unknown as CallSyncMethod;
          // If an answer makes the client call again, that call is answered in the next step.
          const answerDue = async () => {
            const due = answers;
            answers = [];
            failures = [];
            for (const answer of due) answer();
            await settle();
          };
          const answerAll = async () => {
            while (answers.length > 0) await answerDue();
          };
          const subscriptions = createSubscriptions(
            {
              callSync: ask,
              emitEvent: ({ seq }) => handedOn.push(seq),
              emitDiscontinuity: (discontinuity) => {
                throw new Error(`unexpected ${JSON.stringify(discontinuity)}`);
              },
            },
            { bufferMax: heldMax, catchUpMax: 10_000 },
          );
          const reconnect = async () => {
            subscriptions.onLost();
            for (const fail of failures) fail();
            answers = [];
            failures = [];
            await settle();
            subscriptions.onWelcome(exampleWelcome);
          };
          subscriptions.onWelcome(exampleWelcome);
          void subscriptions.subscribe('hall', 0);
          await settle();

          for (const action of steps) {
            const append = () =>
              log[log.push(exampleEnvelope('hall', log.length + 1)) - 1] as Envelope;
            if (action.do === 'append') {
              for (let i = 0; i < action.count; i += 1) subscriptions.onEvent(append());
            } else if (action.do === 'lose') append();
            else if (action.do === 'double') {
              const envelope = append();
              subscriptions.onEvent(envelope);
              subscriptions.onEvent(envelope);
            } else if (action.do === 'swap') {
              const first = append();
              subscriptions.onEvent(append());
              subscriptions.onEvent(first);
            } else if (action.do === 'reconnect') await reconnect();
            else await answerDue();
            await settle();
          }
          await answerAll();
          // A lost last event is found on the next connection.
          if (steps.some((action) => action.do === 'lose')) {
            await reconnect();
            await settle();
            await answerAll();
          }
          expect(handedOn).toEqual(log.map(({ seq }) => seq));
        },
      ),
      { numRuns: 300 },
    );
  });
});
