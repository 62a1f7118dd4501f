import { createHmac } from 'node:crypto';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs with HS256, as an external sign-in service does. */
export function signToken(
  secret: string,
  agentId: string,
  lifeSeconds = 3_600,
  claims: Readonly<Record<string, unknown>> = {},
): string {
  const exp = Math.floor(Date.now() / 1000) + lifeSeconds;
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, sub: agentId, exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
