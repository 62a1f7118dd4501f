/** What a hub asks of those who sign in; `unknown` when it did not say. */
export type SignInMode = 'name' | 'token' | 'unknown';

/** Asks the hub's own specification, which needs no sign-in and names how it lets callers in. */
export async function findSignInMode(): Promise<SignInMode> {
  try {
    const response = await fetch('/v1/openapi.json');
    const document = (await response.json()) as {
      components?: { securitySchemes?: Record<string, unknown> };
    };
    const schemes = document.components?.securitySchemes;
    if (schemes === undefined) return 'unknown';
    return 'devAgent' in schemes ? 'name' : 'token';
  } catch {
    // Both ways are offered, and the connection says what is wrong.
    return 'unknown';
  }
}
