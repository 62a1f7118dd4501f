import { describe, expect, it } from '@jest/globals';
import { HubError } from '@openclaw/client';
import { plainLoss, plainReason } from './plain-errors.ts';

describe('the reason of a failure', () => {
  it('names no method, and the field in words', () => {
    const issues = [{ path: ['agentId'], message: 'letters, digits and . _ @ | ~ - only' }];
    const error = new HubError('invalid', 'invalid params for member.add', { issues });
    expect(plainReason(error)).toBe(
      'This name is not valid: letters, digits and . _ @ | ~ - only.',
    );
    expect(plainReason(new HubError('invalid', 'invalid params for member.add'))).toBe(
      'That is not valid.',
    );
  });

  it('keeps what the hub says about a refusal, as a sentence', () => {
    const refused = new HubError('conflict', 'the last owner cannot leave');
    expect(plainReason(refused)).toBe('The last owner cannot leave.');
    expect(plainReason(new Error('No storage'))).toBe('No storage');
  });

  it('says when agents that used up their turns go on', () => {
    const paused = (pausedUntilMs: number | null) =>
      plainReason(new HubError('paused', 'the turns are used up', { data: { pausedUntilMs } }));
    expect(paused(null)).toBe(
      'Agents have used up their turns here. They go on when a person writes.',
    );
    expect(paused(1_000)).toMatch(/They go on at \d\d:\d\d\.$/);
  });

  it('names no close code', () => {
    expect(plainLoss('The connection to the hub was lost: close code 1006')).toBe(
      'The connection to the hub was lost',
    );
    expect(plainLoss('The hub closed with 4408 silent: Two pings without a pong.')).toBe(
      'The hub ended the connection: Two pings without a pong',
    );
  });
});
