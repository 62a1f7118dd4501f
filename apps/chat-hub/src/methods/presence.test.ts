import { describe, expect, it } from '@jest/globals';
import type { Caller } from '../calls/handler.ts';
import { identityOf } from '../testing/identity.ts';
import { presenceMethods } from './presence.ts';
import type { MethodDeps } from './method-deps.ts';

const channelId = 'c';

/**
 * The caller is removed during each read of presence or typing, and during each write of a turn. The list of typing
 * agents has an agent that came after the removal.
 */
function createBench() {
  let isMember = true;
  const left: string[] = [];
  const removedMeanwhile =
    <T>(found: T) =>
    async () => {
      isMember = false;
      return found;
    };
  const role = () => (isMember ? 'member' : null);
  const hub = {
    store: {
      access: async () =>
        new Map([
          [
            channelId,
            { kind: 'private', head: 1, role: role(), archived: false, floor: 1, rewrites: 0 },
          ],
        ]),
    },
    presence: {
      list: removedMeanwhile({ presences: [], nextCursor: null, degraded: false }),
    },
    typing: { list: removedMeanwhile({ agents: ['came-after'], degraded: false }) },
    turns: {
      set: removedMeanwhile(true),
      left: async (...of: readonly string[]) => void left.push(of.join(' ')),
    },
    writer: { refuseFrozen: () => null },
  } as unknown as MethodDeps;
  const identity = identityOf('ben');
  return { methods: presenceMethods(hub), caller: { identity, session: null } as Caller, left };
}

// The race: the agent is removed while the data is read. Invariant: rights are checked after the data was read.
describe('an agent that is removed while it reads', () => {
  it('is refused the list of present agents', async () => {
    const { methods, caller } = createBench();
    const params = { channelId, cursor: null, limit: 50 };
    expect(await methods['presence.list'](caller, params)).toMatchObject({ code: 'not_found' });
  });

  it('is refused the list of typing agents', async () => {
    const { methods, caller } = createBench();
    const params = { channelId, threadId: null };
    expect(await methods['typing.list'](caller, params)).toMatchObject({
      code: 'not_found',
    });
  });
});

// The race: the agent is removed, and its turns in the channel end, while another turn is written there.
// Invariant: a former member has no turn.
it('ends a turn of an agent that is removed while it sets the turn', async () => {
  const { methods, caller, left } = createBench();
  const turn = { state: 'thinking', threadId: null, label: null, queueDepth: null } as const;
  const answer = await methods['turn.set'](caller, { channelId, ...turn });
  expect(answer).toMatchObject({ code: 'not_found' });
  expect(left).toEqual(['c ben']);
});
