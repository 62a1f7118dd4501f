import { expect, it } from '@jest/globals';
import { saysAdmin } from './token-role.ts';

const tokenOf = (claims: object) =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

it('an admin is known by the role in the token', () => {
  const token = tokenOf({ sub: 'ädä?>', role: 'admin' });
  expect(saysAdmin({ kind: 'token', token })).toBe(true);
  expect(saysAdmin({ kind: 'token', token: tokenOf({ role: 'member' }) })).toBe(false);
  for (const broken of ['', 'a.b.c', tokenOf([])]) {
    expect(saysAdmin({ kind: 'token', token: broken })).toBe(false);
  }
  expect(saysAdmin({ kind: 'name', agentId: 'admin' })).toBe(false);
  expect(saysAdmin({ kind: 'name', agentId: 'ada', isAdmin: true })).toBe(true);
});
