import { describe, expect, it } from '@jest/globals';
import { payloadSummary } from '../views/conversation/payload-summary.ts';
import { describeConnection, type ConnectionFacts } from './connection-status.ts';

const live: ConnectionFacts = {
  ...{ state: 'live', retryInSeconds: null, reason: null, isDegraded: false, waiting: 0 },
};

describe('the connection line', () => {
  it('says live, and degraded when Redis is away', () => {
    expect(describeConnection(live)).toEqual({ tone: 'good', text: 'Live', detail: null });
    expect(describeConnection({ ...live, isDegraded: true })).toMatchObject({
      ...{ tone: 'warning', text: 'Live, degraded' },
    });
  });

  it('counts the seconds until the next attempt, and what waits to be sent', () => {
    const away: ConnectionFacts = { ...live, state: 'reconnecting', retryInSeconds: 3 };
    expect(describeConnection(away)).toMatchObject({ tone: 'bad', text: 'Reconnecting in 3 s' });
    const underWay = describeConnection({
      ...away,
      retryInSeconds: null,
      waiting: 2,
      reason: 'Cut',
    });
    expect(underWay).toMatchObject({ text: 'Reconnecting…', detail: 'Cut. 2 waiting to be sent.' });
  });

  it('does not call degraded what is not even connected', () => {
    const line = describeConnection({ ...live, state: 'reconnecting', isDegraded: true });
    expect(line.text).toBe('Reconnecting…');
  });
});

describe('a payload in one line', () => {
  it('names its first fields, long ones shortened and nested ones only hinted at', () => {
    expect(
      payloadSummary({ step: 3, ok: true, tools: ['a', 'b'], more: {}, nothing: null, last: 1 }),
    ).toBe('step 3 · ok yes · tools 2 items · more {…} · nothing – · …');
    expect(payloadSummary({ text: 'x'.repeat(99) })).toHaveLength('text '.length + 49);
  });
});
