import { describe, expect, it } from '@jest/globals';
import { createChatStore } from './index.ts';
import { parseOptions, type ChatStoreOptions } from './options.ts';

describe('options', () => {
  it('have defaults', () => {
    expect(parseOptions({ url: 'sqlite:.data/hub.sqlite' })).toEqual({
      agentTurnsWindowMs: 600_000,
      turnLimit: null,
      timeoutMs: 2900,
      lockTimeoutMs: 2000,
      maxGroup: 512,
      maxGroupBytes: 1_048_576,
      gapMs: 1,
      busyGapMs: 4,
      busyAppendsPerSecond: 500,
      maxGapMs: 8,
      maxQueue: 10_000,
      maxQueueBytes: 33_554_432,
      maxReads: 2000,
      poolSize: 8,
      sweepEveryMs: 60_000,
      searchEveryMs: 250,
      auditRetentionMs: 34_560_000_000,
      retention: { retentionMs: null, maxMessages: null },
      target: { engine: 'sqlite', path: '.data/hub.sqlite' },
    });
  });

  it('take a path after sqlite: unchanged', () => {
    const path = (url: string) => parseOptions({ url }).target;
    expect(path('sqlite:/var/hub.db')).toEqual({ engine: 'sqlite', path: '/var/hub.db' });
    expect(path('sqlite:///var/hub.db')).toEqual({ engine: 'sqlite', path: '/var/hub.db' });
    expect(path('postgresql://u:p@db:5432/hub').engine).toBe('postgres');
  });

  it.each([
    [{ url: '' }, 'the url must be'],
    [{ url: 'sqlite:' }, 'path of a file'],
    [{ url: 'sqlite::memory:' }, 'path of a file'],
    [{ url: 'mysql://root:secret-word@db/hub' }, 'the url must be'],
    [{ url: 'postgres://u:secret-word@:not a port/hub' }, 'the url must be'],
    [{ url: 'postgres://u:12/secret-word@db/hub' }, 'percent-encoded'],
    [{ url: 'postgres://u:12?secret-word@db/hub' }, 'percent-encoded'],
    [{ url: 'postgres://u:12#secret-word@db/hub' }, 'percent-encoded'],
    [{ url: 'postgres://u:a@b/secret-word@db/hub' }, 'percent-encoded'],
    [{ url: 'postgres://u:100%secret-word@db/hub' }, 'percent-encoded'],
    [{ url: 'sqlite:x', maxGroup: 0 }, 'maxGroup'],
    [{ url: 'sqlite:x', timeoutMs: 1.5 }, 'timeoutMs'],
    [{ url: 'sqlite:x', retentionMs: 0 }, 'retentionMs'],
    [{ url: 'sqlite:x', maxMessages: 1.5 }, 'maxMessages'],
    [{ url: 'sqlite:x', timeoutMs: 1000, lockTimeoutMs: 1000 }, 'lockTimeoutMs'],
    [{ url: 'sqlite:x', maxGroops: 3 } as ChatStoreOptions, 'maxGroops'],
  ])('that are invalid are refused by name: %j', async (options: ChatStoreOptions, named) => {
    const refused = createChatStore(options);
    await expect(refused).rejects.toMatchObject({
      name: 'ChatStoreError',
      code: 'invalid_options',
    });
    await expect(refused).rejects.toThrow(named);
    await expect(refused).rejects.not.toThrow('secret-word');
  });
});
