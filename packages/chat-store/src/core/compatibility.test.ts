import { describe, expect, it } from '@jest/globals';
import { isOlder, recordCompatibility, schemaRelease } from './compatibility.ts';
import { whyNotServed, type SchemaState } from './migrate.ts';
import { createMigrations } from './migrations.ts';

describe('the compatibility of migrations', () => {
  it('is declared by each migration, and names no later release than its own', () => {
    let before = '0.0.0';
    for (const [name, { release, compatibleFrom }] of Object.entries(createMigrations('sqlite'))) {
      expect([name, isOlder(release, before), isOlder(release, compatibleFrom)]).toEqual([
        name,
        false,
        false,
      ]);
      before = release;
    }
    expect(schemaRelease(createMigrations('sqlite'))).toBe(before);
  });

  it('compares releases by their numbers', () => {
    expect(isOlder('0.9.0', '0.10.0')).toBe(true);
    expect(isOlder('0.10.0', '0.9.9')).toBe(false);
    expect(isOlder('1.2.3', '1.2.3')).toBe(false);
    expect(isOlder('1.2.3', '1.2.4')).toBe(true);
  });

  it('keeps the strictest of the migrations before', () => {
    const up = async () => undefined;
    const recorded = recordCompatibility({
      a: { release: '0.2.0', compatibleFrom: '0.2.0', up },
      b: { release: '0.3.0', compatibleFrom: '0.1.0', up },
    });
    expect(schemaRelease(recorded)).toBe('0.3.0');
  });

  const state: SchemaState = {
    release: '0.2.0',
    applied: ['0001', '0002', '0009_later'],
    pending: [],
    unknown: ['0009_later'],
    compatibleFrom: '0.2.0',
  };
  it('lets a release serve what a newer one says that it can', () => {
    expect(whyNotServed(state)).toBeNull();
    expect(whyNotServed({ ...state, compatibleFrom: '0.1.0' })).toBeNull();
    expect(whyNotServed({ ...state, unknown: [], compatibleFrom: null })).toBeNull();
  });

  it('refuses in one sentence what it cannot serve', () => {
    expect(whyNotServed({ ...state, compatibleFrom: '0.3.0' })).toBe(
      'the database was migrated by a newer release (0009_later) and needs hubs of release 0.3.0 or newer: this hub, of release 0.2.0, must not write to it',
    );
    // Without a recorded release, nobody knows the oldest release that can serve the database. With `pending`, the
    // database also lacks a migration of this release, so neither release has all migrations of the other.
    expect(whyNotServed({ ...state, compatibleFrom: null })).toContain('needs hubs of a newer');
    const pending = [{ name: '0002', release: '0.2.0', compatibleFrom: '0.2.0' }];
    expect(whyNotServed({ ...state, pending })).toContain('must not write');
  });
});
