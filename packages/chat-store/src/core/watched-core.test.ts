import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChatStoreError } from '../errors.ts';
import { refuseNewerSchema } from './watched-core.ts';
import type { StoreCore } from './store-core.ts';

const newer = () => new ChatStoreError('newer_schema', 'needs hubs of release 9.0.0');

let made: string[];
let failures: Map<string, () => Promise<unknown>>;
let guarded: ReturnType<typeof refuseNewerSchema>;

beforeEach(() => {
  made = [];
  failures = new Map();
  const call = (name: string) => async () => {
    made.push(name);
    return failures.get(name)?.();
  };
  const names = ['beat', 'epoch', 'runGroup', 'close'];
  const core = Object.fromEntries(names.map((name) => [name, call(name)]));
  guarded = refuseNewerSchema(core as unknown as StoreCore);
});

const beat = () => guarded.core.beat('hub');
const epoch = () => guarded.core.epoch();
const runGroup = () => guarded.core.runGroup([]);
const refused = { code: 'newer_schema', message: 'needs hubs of release 9.0.0' };

describe('a core whose database a newer release has migrated', () => {
  it('is not used any more, by whichever call the schema was found', async () => {
    await epoch();
    expect(guarded.reason()).toBeNull();
    failures.set('runGroup', () => Promise.reject(newer()));
    await expect(runGroup()).rejects.toMatchObject(refused);
    expect(guarded.reason()).toBe('needs hubs of release 9.0.0');
    made = [];
    await expect(epoch()).rejects.toMatchObject(refused);
    await expect(runGroup()).rejects.toMatchObject(refused);
    expect(made).toEqual([]);
    await guarded.core.close();
    expect(made).toEqual(['close']);
  });

  it('is used again when a beat finds a schema that it can serve', async () => {
    failures.set('beat', () => Promise.reject(newer()));
    await expect(beat()).rejects.toMatchObject(refused);
    await expect(beat()).rejects.toMatchObject(refused);
    await expect(epoch()).rejects.toMatchObject(refused);
    failures.clear();
    await beat();
    expect(guarded.reason()).toBeNull();
    await epoch();
  });

  // The race: a beat looks at the schema, the database is migrated, a call fails, and then the beat is answered.
  it('stays refused when a beat that began before the migration succeeds', async () => {
    const late = Promise.withResolvers<unknown>();
    failures.set('beat', () => late.promise);
    failures.set('runGroup', () => Promise.reject(newer()));
    const beating = beat();
    await expect(runGroup()).rejects.toMatchObject(refused);
    late.resolve(undefined);
    await beating;
    await expect(epoch()).rejects.toMatchObject(refused);
  });

  it('is used on after any other failure', async () => {
    failures.set('runGroup', () => Promise.reject(new ChatStoreError('unavailable', 'away')));
    await expect(runGroup()).rejects.toMatchObject({ code: 'unavailable' });
    await epoch();
    expect(guarded.reason()).toBeNull();
  });
});
