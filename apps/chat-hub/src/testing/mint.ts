import { mintToken, type TokenRequest } from '../edge/mint-token.ts';
import { parseConfig } from '../config.ts';

export function mintFor(
  secret: string,
  request: Omit<TokenRequest, 'minter' | 'issuedAtMs'> & Partial<TokenRequest>,
) {
  const { auth } = parseConfig({ HUB_JWT_SECRET: secret });
  if (auth.mode !== 'jwt') throw new Error('a secret makes the mode jwt');
  return mintToken(auth, { minter: 'test', issuedAtMs: Date.now(), ...request });
}
