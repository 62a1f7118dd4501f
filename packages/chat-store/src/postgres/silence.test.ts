import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StoreCore } from '../core/store-core.ts';
import { ChatStoreError } from '../errors.ts';
import { refuseWhileSilent } from './silence.ts';

type Mood = 'answers' | 'refuses' | 'is silent' | 'cuts';

let mood: Mood;
let nowMs: number;
let asked: string[];
let core: StoreCore;

beforeEach(() => {
  mood = 'answers';
  nowMs = 0;
  asked = [];
  const call = (name: string) => async () => {
    asked.push(name);
    if (mood === 'is silent') return new Promise<never>(() => undefined);
    const message = mood === 'cuts' ? 'Connection terminated unexpectedly' : 'no such table';
    if (mood !== 'answers') {
      throw new ChatStoreError('unavailable', 'failed', { cause: new Error(message) });
    }
    return name;
  };
  const names = ['access', 'beat', 'epoch', 'runGroup'];
  const fake = Object.fromEntries(names.map((name) => [name, call(name)]));
  core = refuseWhileSilent(fake as unknown as StoreCore, {
    server: 'db',
    silentMs: 1500,
    probeMs: 20,
    monotonic: () => nowMs,
  });
});

const access = () => core.access('ana', []);
const unavailable = { code: 'unavailable', message: expect.stringContaining('does not answer') };

describe('a PostgreSQL that does not answer', () => {
  it('refuses calls at once when none was answered for some time, instead of letting each wait', async () => {
    mood = 'is silent';
    void access();
    nowMs = 1499;
    void access();
    expect(asked).toEqual(['access', 'access']);
    nowMs = 1500;
    await expect(access()).rejects.toMatchObject(unavailable);
    await expect(core.runGroup([])).rejects.toMatchObject(unavailable);
    // One probe for all calls finds out whether the server is back.
    expect(asked).toEqual(['access', 'access', 'epoch']);
  });

  it('is used again with the first call after it answers', async () => {
    mood = 'cuts';
    await expect(access()).rejects.toMatchObject({ message: 'failed' });
    nowMs = 60_000;
    await expect(access()).rejects.toMatchObject(unavailable);
    mood = 'answers';
    expect(await access()).toBe('access');
    expect(asked).toEqual(['access', 'epoch', 'epoch', 'access']);
  });

  it('is not silent while it answers anything, even a refusal', async () => {
    mood = 'is silent';
    void access();
    nowMs = 1400;
    mood = 'refuses';
    await expect(core.beat('hub')).rejects.toMatchObject({ message: 'failed' });
    nowMs = 2800;
    await expect(core.beat('hub')).rejects.toMatchObject({ message: 'failed' });
    mood = 'answers';
    nowMs = 4000;
    expect(await access()).toBe('access');
    expect(asked).not.toContain('epoch');
  });

  it('that was idle for long is not silent', async () => {
    await access();
    nowMs = 60_000;
    await access();
    expect(asked).toEqual(['access', 'access']);
  });
});
