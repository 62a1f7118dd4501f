import { afterAll, afterEach } from '@jest/globals';

/** Disposes what tests use, in reverse order, even when a test or a later setup step fails. */
export interface Scope {
  /** Waits for the resource and disposes it at the end of the scope. Resolves with it. */
  use<T extends AsyncDisposable | Disposable>(resource: T | Promise<T>): Promise<T>;
  defer(cleanup: () => unknown): void;
}

/** A scope for everything that `beforeAll` starts. It ends after the suite or the enclosing `describe`. */
export function suiteScope(): Scope {
  return createScope(afterAll);
}

/** A scope that ends after each test. */
export function testScope(): Scope {
  return createScope(afterEach);
}

function createScope(atEnd: (dispose: () => Promise<void>) => void): Scope {
  const cleanups: (() => unknown)[] = [];
  atEnd(async () => {
    const errors: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'a resource could not be disposed');
  });
  return {
    async use(promise) {
      const resource = await promise;
      cleanups.push(() =>
        Symbol.asyncDispose in resource
          ? resource[Symbol.asyncDispose]()
          : resource[Symbol.dispose](),
      );
      return resource;
    },
    defer: (cleanup) => void cleanups.push(cleanup),
  };
}
