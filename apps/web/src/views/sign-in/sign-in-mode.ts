/** What a hub needs for a sign-in; `unknown` when it could not be found out. */
export type SignInMode = 'name' | 'token' | 'unknown';

/** Finds the mode in the hub's OpenAPI document, which needs no sign-in. */
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
    // The form offers both ways, and the connection reports what is wrong.
    return 'unknown';
  }
}
