import { expect, it } from '@jest/globals';
import type { SharedTyping, TypingOptions } from './index.ts';

/** Tests the behaviour that {@link SharedTyping} has both with Redis and without it. */
export function sharedTypingContract(
  name: string,
  make: (options: TypingOptions) => SharedTyping,
): void {
  it(`Typing indicators (start → update → stop): works and is not degraded, ${name}`, async () => {
    let nowMs = 1_900_000_000_000;
    const typing = make({ clock: () => nowMs });
    expect(await typing.start('c', 'a')).toEqual({ changed: true, degraded: false });
    nowMs += 5000;
    expect(await typing.start('c', 'a')).toEqual({ changed: false, degraded: false });
    nowMs += 9999;
    expect(await typing.list('c')).toEqual({ agents: ['a'], degraded: false });
    expect(await typing.stop('c', 'a')).toEqual({ changed: true, degraded: false });
    await typing.start('c', 'a');
    await typing.start('d', 'a');
    await typing.start('d', 'a', 't');
    expect(await typing.list('d', 't')).toEqual({ agents: ['a'], degraded: false });
    const stopped = ['c', 'd', 'd'].map((channelId, at) => ({
      channelId,
      threadId: at === 2 ? 't' : null,
    }));
    expect(await typing.stopAll('a')).toEqual({ stopped, degraded: false });
    expect(typing.degraded).toBe(false);
    await typing.close();
    await expect(typing.start('c', 'a')).rejects.toMatchObject({ code: 'closed' });
  });

  it(`refuses bad ids, ${name}`, async () => {
    const typing = make({});
    const badId = { name: 'KeySchemaError', code: 'invalid_id' };
    await expect(typing.start('c:d', 'a')).rejects.toMatchObject(badId);
    await expect(typing.stop('c', 'a:b')).rejects.toMatchObject(badId);
    await expect(typing.stopAll('a:b')).rejects.toMatchObject(badId);
    await expect(typing.list('c:d')).rejects.toMatchObject(badId);
    await expect(typing.list('c', 't:u')).rejects.toMatchObject(badId);
    await expect(typing.start('c', 'a', 't:u')).rejects.toMatchObject(badId);
    const typers = [{ channelId: 'c', agentId: '' }];
    await expect(typing.remainingMs(typers)).rejects.toMatchObject(badId);
    await typing.close();
  });
}
