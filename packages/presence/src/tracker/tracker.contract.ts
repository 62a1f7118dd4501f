import { expect, it } from '@jest/globals';
import type { PresenceTracker } from './presence-tracker.ts';

/** The behaviour of a {@link PresenceTracker}, which is the same with Redis and without it. */
export function trackerContract(name: string, make: () => PresenceTracker): void {
  const connection = { agentId: 'a', sessionId: 's' };
  const state = { status: 'dnd', customStatus: null, avatar: null } as const;

  it(`is not degraded, ${name}`, async () => {
    const tracker = make();
    const changed = { record: expect.objectContaining({ agentId: 'a' }), degraded: false };
    expect(await tracker.track('c', connection)).toEqual(changed);
    expect(await tracker.track('c', connection)).toEqual({ record: null, degraded: false });
    expect(await tracker.list('c')).toMatchObject({ count: 1, nextCursor: null, degraded: false });
    expect(await tracker.listConnections('c', { agentId: 'a' })).toMatchObject({
      connections: [{ ...connection, hubId: tracker.hubId }],
      nextCursor: null,
      degraded: false,
    });
    expect(await tracker.get('c', 'b')).toEqual({ presence: null, degraded: false });
    expect(await tracker.untrack('c', connection)).toEqual(changed);
    expect(await tracker.untrack('c', connection)).toEqual({ record: null, degraded: false });
    expect(tracker.degraded).toBe(false);
    await tracker.close();
  });

  it(`keeps metadata for the channels that the connection enters later, ${name}`, async () => {
    const tracker = make();
    const metadata = { task: 'review' };
    await tracker.track('c', connection, { metadata });
    expect(await tracker.get('c', 'a')).toMatchObject({ presence: { metadata } });
    await tracker.set(connection, { ...state, metadata: { task: 'deploy' } });
    await tracker.track('d', connection);
    for (const channelId of ['c', 'd']) {
      const { presence } = await tracker.get(channelId, 'a');
      expect(presence).toMatchObject({ ...state, metadata: { task: 'deploy' } });
    }
    await tracker.set(connection, state);
    expect((await tracker.get('c', 'a')).presence).not.toHaveProperty('metadata');
    await tracker.close();
  });

  it(`refuses bad ids and arguments, and every call after close, ${name}`, async () => {
    const tracker = make();
    const badId = { name: 'KeySchemaError', code: 'invalid_id' };
    await expect(tracker.track('c:d', connection)).rejects.toMatchObject(badId);
    await expect(tracker.untrack('c:d', connection)).rejects.toMatchObject(badId);
    await expect(tracker.set({ ...connection, sessionId: '' }, state)).rejects.toMatchObject(badId);
    await expect(tracker.get('c', 'a:b')).rejects.toMatchObject(badId);
    await expect(tracker.list('c:d')).rejects.toMatchObject(badId);
    expect(() => tracker.watch('c:d')).toThrow(expect.objectContaining(badId));
    const invalid = { name: 'PresenceError', code: 'invalid_argument' };
    await expect(tracker.list('c', { limit: 0 })).rejects.toMatchObject(invalid);
    await tracker.close();
    const closed = { name: 'PresenceError', code: 'closed' };
    await expect(tracker.track('c', connection)).rejects.toMatchObject(closed);
    await expect(tracker.get('c', 'a')).rejects.toMatchObject(closed);
  });
}
