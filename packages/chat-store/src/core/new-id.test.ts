import { describe, expect, it } from '@jest/globals';
import { isId } from '@openclaw/protocol';
import { newId } from './new-id.ts';

describe('an id', () => {
  it('is a UUID of version 7, which begins with its time', () => {
    const nowMs = 1_795_468_870_402;
    const id = newId(nowMs);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(nowMs);
    expect(isId(id)).toBe(true);
  });

  it('is never the same twice, over many draws of randomness', () => {
    const ids = Array.from({ length: 5000 }, () => newId(1));
    expect(new Set(ids).size).toBe(5000);
  });
});
