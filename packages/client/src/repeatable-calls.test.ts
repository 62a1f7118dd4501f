import { describe, expect, it } from '@jest/globals';
import { createClientMessageId } from './repeatable-calls.ts';

describe('a clientMessageId', () => {
  const madeWithout = (crypto: typeof globalThis.crypto | undefined) => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true });
    try {
      return Array.from({ length: 10_000 }, createClientMessageId);
    } finally {
      if (own) Object.defineProperty(globalThis, 'crypto', own);
    }
  };

  it('is unique with and without crypto, which React Native lacks', () => {
    for (const ids of [madeWithout(globalThis.crypto), madeWithout(undefined)]) {
      expect(new Set(ids.map((id) => id.slice(13))).size).toBe(10_000);
      for (const id of ids.slice(0, 100)) expect(id).toMatch(/^[\da-f]{12}-[\da-f]{32}$/);
      const bytes = new Set(ids.flatMap((id) => id.slice(13).match(/../g) ?? []));
      expect(bytes.size).toBe(256);
    }
  });
});
