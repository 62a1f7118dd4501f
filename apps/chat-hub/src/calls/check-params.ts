import { limits, type MethodDefinition, type ParamIssue } from '@openclaw/protocol';

/** The longest list that any method takes. */
const maxItems = limits.topics;
/** The most issues of one call that are reported. */
const maxIssues = 10;

/** Checks the params of a call by its method's schema. Costs a bounded time, whatever they hold. */
export function checkParams(
  { params: schema }: MethodDefinition,
  params: unknown,
): { readonly params: object } | { readonly issues: readonly ParamIssue[] } {
  const overlong = overlongListOf(params);
  if (overlong) return { issues: [overlong] };
  const parsed = schema.safeParse(params ?? {});
  if (parsed.success) return { params: parsed.data };
  const issues = parsed.error.issues.slice(0, maxIssues).map(({ path, message }) => ({
    path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    message,
  }));
  return { issues };
}

/**
 * Finds a list that is too long before the schema checks each of its items. A frame has room for 80,000 wrong items,
 * and reporting them all would block the event loop for a tenth of a second.
 */
function overlongListOf(params: unknown): ParamIssue | null {
  if (typeof params !== 'object' || params === null) return null;
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value) && value.length > maxItems)
      return { path: [name], message: `a list of more than ${maxItems}` };
  }
  return null;
}
