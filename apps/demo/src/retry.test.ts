import { HubError } from '@openclaw/client';
import { describe, expect, it } from '@jest/globals';
import { retryWhileBusy } from './retry.ts';

const never = new AbortController().signal;
const failing = (times: number, code: 'timeout' | 'forbidden') => {
  let calls = 0;
  const work = async () => {
    calls += 1;
    if (calls <= times) throw new HubError(code, 'no', { retryAfterMs: 1 });
    return calls;
  };
  return { work, calls: () => calls };
};

describe('retryWhileBusy', () => {
  it('retries while the hub is busy, at most eight times', async () => {
    expect(await retryWhileBusy(failing(3, 'timeout').work, never)).toBe(4);
    const hopeless = failing(100, 'timeout');
    await expect(retryWhileBusy(hopeless.work, never)).rejects.toThrow('no');
    expect(hopeless.calls()).toBe(8);
  });

  it('does not retry a refusal', async () => {
    const refused = failing(1, 'forbidden');
    await expect(retryWhileBusy(refused.work, never)).rejects.toThrow('no');
    expect(refused.calls()).toBe(1);
  });
});
