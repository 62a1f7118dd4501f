import { describe, expect, it } from '@jest/globals';
import { describeConnection, type ConnectionInfo } from './connection-status.ts';

const live: ConnectionInfo = {
  state: 'live',
  retryInSeconds: null,
  reason: null,
  isDegraded: false,
  waiting: 0,
  isSilent: false,
};
const away: ConnectionInfo = { ...live, state: 'reconnecting' };

describe('the connection status', () => {
  it('is live, or degraded when Redis is unavailable', () => {
    expect(describeConnection(live)).toEqual({ tone: 'good', text: 'Live', detail: null });
    const degraded = describeConnection({ ...live, isDegraded: true });
    expect(degraded).toMatchObject({ tone: 'warning', text: 'Live, degraded' });
  });

  it('counts the seconds until the next attempt and the messages that wait', () => {
    const later = describeConnection({ ...away, retryInSeconds: 3 });
    expect(later).toMatchObject({ tone: 'bad', text: 'Reconnecting in 3 s' });
    const underWay = describeConnection({ ...away, waiting: 2, reason: 'Cut' });
    expect(underWay).toMatchObject({ text: 'Reconnecting…', detail: 'Cut. 2 waiting to be sent.' });
  });

  it('says that a hub with an open connection does not answer', () => {
    expect(describeConnection({ ...live, isSilent: true })).toMatchObject({
      tone: 'bad',
      text: 'The hub does not answer',
    });
    expect(describeConnection({ ...away, isSilent: true }).text).toBe('Reconnecting…');
  });

  it('is not degraded while there is no connection', () => {
    expect(describeConnection({ ...away, isDegraded: true }).text).toBe('Reconnecting…');
  });
});
