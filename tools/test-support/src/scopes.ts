import { afterAll, afterEach } from '@jest/globals';

/** Disposes resources in reverse order, even when a test or a later setup step fails. */
export interface Scope {
  /** Disposes the resource at the end of the scope. Resolves with it. */
  use<T extends AsyncDisposable | Disposable>(resource: T | Promise<T>): Promise<T>;
  defer(cleanup: () => unknown): void;
}

/** Serves resources of `beforeAll`. Ends after the suite or the enclosing `describe`. */
export function suiteScope(): Scope {
  return createScope(afterAll);
}

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
