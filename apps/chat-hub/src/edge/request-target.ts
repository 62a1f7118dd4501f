/** The path and the query of a request's target. Total: what a stranger sends may be no address at all. */
export function parseTarget(target: string | undefined): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const [path = '', ...query] = (target ?? '').split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}
