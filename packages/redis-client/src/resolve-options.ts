/**
 * Replaces defaults by given options. A number must be a positive integer.
 * @throws an error of `ErrorClass` with the code `invalid_options`
 */
export function resolveOptions<Settings extends object>(
  defaults: Settings,
  options: Partial<Settings>,
  ErrorClass: new (code: 'invalid_options', message: string) => Error,
): Settings {
  const resolved = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof Settings & string)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value > 0)) {
      throw new ErrorClass('invalid_options', `${name} must be a positive integer, not ${value}`);
    }
    Object.assign(resolved, { [name]: value });
  }
  return resolved;
}
