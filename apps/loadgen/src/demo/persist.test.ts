import { HubError } from '@openclaw/client';
import { describe, expect, it } from '@jest/globals';
import { persist } from './persist.ts';

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

describe('persistence', () => {
  it('tries again while the hub asks for patience, and not for ever', async () => {
    expect(await persist(failing(3, 'timeout').work, never)).toBe(4);
    const hopeless = failing(100, 'timeout');
    await expect(persist(hopeless.work, never)).rejects.toThrow('no');
    expect(hopeless.calls()).toBe(8);
  });

  it('does not try again what is refused', async () => {
    const refused = failing(1, 'forbidden');
    await expect(persist(refused.work, never)).rejects.toThrow('no');
    expect(refused.calls()).toBe(1);
  });
});
