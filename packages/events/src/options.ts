import { EventsError } from './errors.ts';

/** The value itself when it is an integer from 1 on. @throws {EventsError} `invalid_options` */
export function positiveInteger(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new EventsError('invalid_options', `${name} must be a positive integer, not ${value}`);
}
