import { z } from 'zod';

export interface JwtSettings {
  /** The first secret signs, and all verify. When the list is empty, the hub mints nothing. */
  readonly secrets: readonly string[];
  readonly jwksUrl: string | null;
  /** With null, any `iss` is accepted. */
  readonly issuer: string | null;
  /** A token's `aud` must be or contain one of these. With an empty list, any `aud` is accepted. */
  readonly audiences: readonly string[];
  readonly claims: { readonly role: string; readonly kind: string; readonly channels: string };
  readonly adminRole: string;
}

/** A verification tries the secrets one by one, so their number is bounded. */
const maxSecrets = 8;

const secrets = z.string().transform((text, context) => {
  const list = text
    .split(/[,\r\n]/)
    .map((secret) => secret.trim())
    .filter(Boolean);
  const problem =
    list.length === 0 || list.some((secret) => secret.length < 32)
      ? 'each secret must have at least 32 characters; a comma separates secrets'
      : list.length > maxSecrets
        ? `at most ${maxSecrets} secrets`
        : null;
  if (problem === null) return list;
  context.addIssue({ code: 'custom', message: problem });
  return z.NEVER;
});

const jwksUrl = z.url({ protocol: /^https?$/ }).refine((url) => {
  const { username, password } = new URL(url);
  return username + password === '';
}, 'must not contain a user or a password');

// The close reason for a refused token may contain the name. A close reason has at most 123 bytes.
const claimName = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, 'must be at most 64 printable characters without spaces')
  .refine(
    (name) => !['sub', 'exp', 'iat', 'nbf', 'iss', 'aud', 'jti', 'minter'].includes(name),
    'is a claim with a meaning of its own',
  );

export const jwtVariables = {
  HUB_JWT_SECRET: secrets.optional(),
  HUB_JWKS_URL: jwksUrl.optional(),
  HUB_JWT_ISSUER: z.string().max(512).optional(),
  HUB_JWT_AUDIENCE: z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    )
    .refine((list) => list.length > 0, 'must name an audience')
    .optional(),
  HUB_JWT_ROLE_CLAIM: claimName.default('role'),
  HUB_JWT_KIND_CLAIM: claimName.default('kind'),
  HUB_JWT_CHANNELS_CLAIM: claimName.default('channels'),
  HUB_JWT_ADMIN_ROLE: z.string().max(128).default('admin'),
};

type JwtEnvironment = z.output<z.ZodObject<typeof jwtVariables>>;

export function jwtSettingsOf(env: JwtEnvironment): JwtSettings {
  return {
    secrets: env.HUB_JWT_SECRET ?? [],
    jwksUrl: env.HUB_JWKS_URL ?? null,
    issuer: env.HUB_JWT_ISSUER ?? null,
    audiences: env.HUB_JWT_AUDIENCE ?? [],
    claims: {
      role: env.HUB_JWT_ROLE_CLAIM,
      kind: env.HUB_JWT_KIND_CLAIM,
      channels: env.HUB_JWT_CHANNELS_CLAIM,
    },
    adminRole: env.HUB_JWT_ADMIN_ROLE,
  };
}

export function jwtWarning({ jwksUrl: url, issuer, audiences }: JwtSettings): string | null {
  const missing = [
    ...(issuer === null ? ['HUB_JWT_ISSUER'] : []),
    ...(audiences.length === 0 ? ['HUB_JWT_AUDIENCE'] : []),
  ];
  if (url === null || missing.length === 0) return null;
  return `${missing.join(' and ')} not set: any token that is signed by a key at HUB_JWKS_URL is accepted, with its role, also one for another service`;
}
