import { describe, expect, it } from '@jest/globals';
import { createTyping } from './index.ts';

describe('typing in one process, without Redis', () => {
  it('Typing indicators (start → update → stop): works, and is not degraded', async () => {
    let nowMs = 1_900_000_000_000;
    const typing = createTyping({}, { clock: () => nowMs });
    expect(await typing.start('c', 'a')).toEqual({ changed: true, degraded: false });
    nowMs += 5000;
    expect(await typing.start('c', 'a')).toEqual({ changed: false, degraded: false });
    nowMs += 9999;
    expect(await typing.list('c')).toEqual({ agents: ['a'], degraded: false });
    expect(await typing.stop('c', 'a')).toEqual({ changed: true, degraded: false });
    await typing.start('c', 'a');
    await typing.start('d', 'a');
    expect(await typing.stopAll('a')).toEqual({ channelIds: ['c', 'd'], degraded: false });
    expect(typing.degraded).toBe(false);
    await typing.close();
    await expect(typing.start('c', 'a')).rejects.toMatchObject({ code: 'closed' });
  });
});
