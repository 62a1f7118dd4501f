import { afterAll, describe, expect, it } from '@jest/globals';
import { suiteScope, testScope } from './scopes.ts';
import { temporaryFolder } from './processes.ts';
import { startRedis } from './redis-server.ts';
import { existsSync } from 'node:fs';

const disposed: string[] = [];
const resource = (name: string) => ({
  name,
  async [Symbol.asyncDispose]() {
    disposed.push(name);
  },
});

describe('await using', () => {
  it('removes a folder at the end of the block', async () => {
    let path: string;
    {
      await using folder = await temporaryFolder('using');
      ({ path } = folder);
      expect(existsSync(path)).toBe(true);
    }
    expect(existsSync(path)).toBe(false);
  });

  it('stops a server when the block fails', async () => {
    let pid = 0;
    const failing = async () => {
      await using redis = await startRedis();
      ({ pid } = redis);
      throw new Error('the test failed');
    };
    await expect(failing()).rejects.toThrow('the test failed');
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe('a test scope', () => {
  const scope = testScope();

  it('keeps a resource until the end of the test', async () => {
    await scope.use(resource('first'));
    await scope.use(Promise.resolve(resource('second')));
    scope.defer(() => disposed.push('third'));
    expect(disposed).toEqual([]);
  });

  it('has disposed it before the next test, the last first', () => {
    expect(disposed).toEqual(['third', 'second', 'first']);
  });
});

describe('a suite scope', () => {
  const scope = suiteScope();
  // Jest runs `afterAll` hooks in the order of registration, so the scope's own hook runs before this one.
  afterAll(() => expect(disposed.at(-1)).toBe('suite'));

  it('keeps a resource', async () => {
    await scope.use(resource('suite'));
  });

  it('over several tests', () => {
    expect(disposed).not.toContain('suite');
  });
});
