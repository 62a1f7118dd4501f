import type { Config } from '../config.ts';

const hidden = '[set]';

export function describeConfig(config: Config): object {
  const { auth, databaseUrl, redis, unknownNames: _warned, ...rest } = config;
  return {
    ...rest,
    databaseUrl: withoutPassword(databaseUrl),
    redis:
      redis &&
      Object.fromEntries(
        Object.entries(redis).map(([name, value]) => {
          if (/password/i.test(name)) return [name, hidden];
          if (name === 'url') return [name, withoutPassword(String(value))];
          // TLS options may hold a private key, so only their presence is shown.
          return [name, /tls/i.test(name) ? Boolean(value) : (value as unknown)];
        }),
      ),
    auth:
      auth.mode === 'dev'
        ? auth
        : {
            ...auth,
            secrets: auth.secrets.map(() => hidden),
            jwksUrl: auth.jwksUrl === null ? null : withoutQuery(auth.jwksUrl),
          },
  };
}

/** The query may hold a password too. */
function withoutPassword(url: string): string {
  if (url.startsWith('sqlite:')) return url;
  if (!URL.canParse(url)) return hidden;
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return withoutQuery(parsed.href);
}

function withoutQuery(url: string): string {
  return url.split('?')[0] ?? '';
}
