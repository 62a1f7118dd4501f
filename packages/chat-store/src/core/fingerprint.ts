import { hash } from 'node:crypto';

/** Tells whether a clientMessageId that comes again comes with the same content. */
export function fingerprint(method: string, ...content: readonly unknown[]): string {
  return hash('sha256', JSON.stringify([method, ...content]), 'base64url');
}
